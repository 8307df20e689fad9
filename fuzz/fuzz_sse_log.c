/* SPDX-License-Identifier: MIT */
/* fuzz_sse_log.c - the replay log against a list of all that was ever put: readers get every event once and
 * in order, or hear of a gap; nothing is dropped that the bounds did not ask for. */
#include "fuzz.h"

/* A record's header takes OVERHEAD bytes, which is WEIR_SSE_LOG_OVERHEAD or less where size_t is smaller. */
enum { EVENTS_MOST = 2000, READERS = 4, BYTES_MOST = 300, OVERHEAD = 16 + 2 * (int)sizeof(size_t) };

/* The event number n has these bytes, `len` of them. */
static uint8_t event_byte(size_t n, size_t i)
{
    return (uint8_t)(n * 31 + i * 7);
}

typedef struct event {
    size_t len;
    uint8_t id_len, id; /* the ID is `id_len` times this byte */
    uint64_t time;
} event;

typedef struct model {
    weir_sse_log log;
    weir_sse_log_cfg cfg;
    size_t memory;
    event events[EVENTS_MOST];
    size_t count, first; /* events ever put; the oldest that is still there */
    uint64_t now;
    weir_sse_reader readers[READERS];
    size_t at[READERS]; /* which event each reader wants next */
} model;

static void age(model *m)
{
    while (m->cfg.max_age_ms != 0 && m->first != m->count &&
           m->now - m->events[m->first].time > m->cfg.max_age_ms)
        m->first++;
}

static void put(model *m, fuzz_input *input)
{
    uint8_t bytes[BYTES_MOST], id[16], shape = fuzz_byte(input);
    event e = {(size_t)fuzz_byte(input) + (shape >> 7) * 40u, shape & 7, (shape >> 3) & 7, m->now};
    if (m->count == EVENTS_MOST)
        return;
    for (size_t i = 0; i < e.len; i++)
        bytes[i] = event_byte(m->count, i);
    memset(id, 'a' + e.id, sizeof id);
    int rv = weir_sse_log_put(&m->log, (weir_str){id, e.id_len}, (weir_str){bytes, e.len}, m->now);
    size_t need = OVERHEAD + e.id_len + e.len;
    FUZZ_REQUIRE(rv == (need > m->memory ? WEIR_ERR_SPACE : 0));
    if (rv != 0)
        return;
    age(m);
    while (m->cfg.max_events != 0 && m->count - m->first >= m->cfg.max_events)
        m->first++;
    m->events[m->count++] = e;
    /* What the memory dropped shows at its oldest event. Half of the memory at least is used, if it is
     * asked for: an event may lie in one piece only. */
    weir_sse_reader oldest;
    weir_str found;
    size_t before = m->first, held = 0;
    weir_sse_log_begin(&m->log, &oldest);
    m->first = m->count - (size_t)weir_sse_log_behind(&m->log, &oldest, NULL);
    FUZZ_REQUIRE(m->first >= before && m->first < m->count);
    for (size_t i = m->first; i < m->count; i++)
        held += OVERHEAD + m->events[i].id_len + m->events[i].len;
    size_t dropped =
        m->first != before ? OVERHEAD + m->events[m->first - 1].id_len + m->events[m->first - 1].len : 0;
    FUZZ_REQUIRE(held <= m->memory && (dropped == 0 || 2 * (held + dropped) > m->memory));
    FUZZ_REQUIRE(weir_sse_log_next(&m->log, &oldest, &found) == WEIR_SSE_LOG_EVENT);
}

static void seek(model *m, size_t r, uint8_t shape)
{
    uint8_t id[16];
    size_t len = shape & 7, wanted = 0;
    bool found = false;
    memset(id, 'a' + ((shape >> 3) & 7), sizeof id);
    age(m);
    for (size_t i = m->first; i < m->count && len != 0; i++) {
        if (m->events[i].id_len == len && m->events[i].id == ((shape >> 3) & 7)) {
            wanted = i + 1;
            found = true;
        }
    }
    int rv = weir_sse_log_seek(&m->log, (weir_str){id, len}, m->now, &m->readers[r]);
    FUZZ_REQUIRE(rv == (found ? 0 : WEIR_SSE_LOG_GAP));
    m->at[r] = found ? wanted : m->first;
}

static void next(model *m, size_t r)
{
    weir_str bytes;
    int rv = weir_sse_log_next(&m->log, &m->readers[r], &bytes);
    if (m->at[r] == m->count) {
        FUZZ_REQUIRE(rv == 0);
    } else if (m->at[r] < m->first) {
        FUZZ_REQUIRE(rv == WEIR_SSE_LOG_GAP);
        m->at[r] = m->first;
    } else {
        const event *e = &m->events[m->at[r]];
        FUZZ_REQUIRE(rv == WEIR_SSE_LOG_EVENT && bytes.len == e->len);
        for (size_t i = 0; i < bytes.len; i++)
            FUZZ_REQUIRE(bytes.ptr[i] == event_byte(m->at[r], i));
        m->at[r]++;
    }
}

static void check_behind(const model *m, size_t r)
{
    uint64_t bytes, wanted = 0;
    uint64_t behind = weir_sse_log_behind(&m->log, &m->readers[r], &bytes);
    for (size_t i = m->at[r] > m->first ? m->at[r] : m->first; i < m->count; i++)
        wanted += m->events[i].len;
    FUZZ_REQUIRE(behind == m->count - m->at[r] && bytes == wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static model m;
    fuzz_input input = {data, size};
    memset(&m, 0, sizeof m);
    m.memory = 32 + (size_t)fuzz_byte(&input) * 4;
    m.cfg.max_events = fuzz_limit(&input, 0);
    m.cfg.max_age_ms = fuzz_limit(&input, 0);
    uint8_t *memory = fuzz_memory(m.memory);
    FUZZ_REQUIRE(weir_sse_log_init(&m.log, memory, m.memory, &m.cfg) == 0);
    for (size_t r = 0; r < READERS; r++)
        weir_sse_log_begin(&m.log, &m.readers[r]);
    while (input.left != 0) {
        uint8_t what = fuzz_byte(&input);
        size_t r = (what >> 4) % READERS;
        switch (what & 7) {
        case 0:
        case 1:
            put(&m, &input);
            break;
        case 2:
            seek(&m, r, fuzz_byte(&input));
            break;
        case 3:
            weir_sse_log_end(&m.log, &m.readers[r]);
            m.at[r] = m.count;
            break;
        case 4:
            weir_sse_log_begin(&m.log, &m.readers[r]);
            m.at[r] = m.first;
            break;
        case 5:
            m.now += fuzz_byte(&input);
            break;
        default:
            next(&m, r);
        }
        check_behind(&m, r);
    }
    free(memory);
    return 0;
}
