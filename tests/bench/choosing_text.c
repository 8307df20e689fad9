/* SPDX-License-Identifier: MIT */
/* choosing_text.c - what is said in each scene: the same words in every run, different ones each time. */
#include "choosing.h"

#include <stdio.h>

const scene scenes[SCENES] = {
    {"chat", "a prompt, answered by 50 tokens", true, true, true, 50},
    {"room", "a line said, ten lines heard", true, false, true, 10},
    {"game", "20 times a second: keys up, the state down", true, false, false, 1},
    {"notifications", "a notice, nothing up", false, false, true, 1},
};

const char *const way_names[WAYS] = {
    "stream + new connections", "stream + kept connection", "answers as streams", "WebSocket",
    "WebSocket, compressed",
};

static const char *const words[] = {
    "the",    "river",   "and",     "a",       "of",     "water", "under",  "which", "runs",   "over",
    "stones", "is",      "not",     "deep",    "but",    "in",    "spring", "it",    "rises",  "to",
    "bridge", "when",    "snow",    "melts",   "on",     "hills", "people", "walk",  "along",  "its",
    "banks",  "at",      "evening", "boats",   "were",   "built", "here",   "until", "last",   "century",
    "today",  "only",    "one",     "small",   "yard",   "still", "works",  "every", "summer", "there",
    "fish",   "weir",    "keeps",   "level",   "steady", "for",   "mills",  "their", "wheels", "turn",
    "slowly", "through", "all",     "seasons",
};

static const char *const names[] = {"mira", "jonas", "wen", "amara", "luis", "tove", "priya", "karim"};

/* A number that looks random and depends on k and i only. */
static unsigned mix(unsigned k, unsigned i)
{
    uint64_t x = ((uint64_t)k << 20 | i) * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (unsigned)(x >> 33);
}

static const char *word(unsigned k, unsigned i)
{
    return words[mix(k, i) % (sizeof words / sizeof *words)];
}

static size_t sentence(char *room, size_t size, unsigned k, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++)
        len += (size_t)snprintf(room + len, size - len, i == 0 ? "%s" : " %s", word(k, i));
    return len;
}

static weir_str finish(const char *room, int len)
{
    if (len < 0 || len >= TEXT_MAX)
        bench_fail("a message is too long");
    return (weir_str){(const uint8_t *)room, (size_t)len};
}

weir_str text_up(const scene *s, unsigned k, char *room)
{
    char said[512];
    k += 1000000;
    switch (s->name[0]) {
    case 'c':
        sentence(said, sizeof said, k, 16 + mix(k, 99) % 20);
        return finish(room, snprintf(room, TEXT_MAX, "{\"prompt\":\"%s?\"}", said));
    case 'r':
        sentence(said, sizeof said, k, 4 + mix(k, 99) % 12);
        return finish(room, snprintf(room, TEXT_MAX, "{\"say\":\"%s\"}", said));
    default:
        return finish(room, snprintf(room, TEXT_MAX, "{\"seq\":%u,\"keys\":%u,\"aim\":[0.%03u,-0.%03u]}", k,
                                     mix(k, 1) % 16, mix(k, 2) % 1000, mix(k, 3) % 1000));
    }
}

/* Positions wander, as they do: neighbours in time are near each other. */
static int game_state(char *room, unsigned k)
{
    int len = snprintf(room, TEXT_MAX, "{\"tick\":%u,\"ack\":%u,\"players\":[", k, k);
    for (unsigned i = 0; i < 5; i++) {
        unsigned x = 400 + 37 * i + k * (3 + i) % 90 + mix(k, i) % 3;
        unsigned y = 300 + 53 * i + k * (5 + i) % 70 + mix(k, i + 8) % 3;
        len += snprintf(room + len, TEXT_MAX - (size_t)len, "%s{\"id\":%u,\"x\":%u.%u,\"y\":%u.%u,\"hp\":%u}",
                        i == 0 ? "" : ",", i + 1, x, mix(k, i + 16) % 10, y, mix(k, i + 24) % 10,
                        100 - k / 50 % 100);
    }
    return len + snprintf(room + len, TEXT_MAX - (size_t)len, "]}");
}

weir_str text_down(const scene *s, unsigned k, char *room)
{
    char said[512];
    switch (s->name[0]) {
    case 'c':
        return finish(room, snprintf(room, TEXT_MAX, "{\"t\":\" %s\"}", word(k, 0)));
    case 'r':
        sentence(said, sizeof said, k, 4 + mix(k, 99) % 12);
        return finish(room, snprintf(room, TEXT_MAX, "{\"from\":\"%s\",\"at\":%u.%03u,\"said\":\"%s\"}",
                                     names[mix(k, 98) % 8], 1760000000 + k / 2, mix(k, 97) % 1000, said));
    case 'g':
        return finish(room, game_state(room, k));
    default:
        sentence(said, sizeof said, k, 8);
        return finish(room,
                      snprintf(room, TEXT_MAX,
                               "{\"kind\":\"%s\",\"from\":\"%s\",\"text\":\"%s\",\"url\":\"/threads/%u#%u\"}",
                               mix(k, 96) % 2 ? "mention" : "reply", names[mix(k, 98) % 8], said,
                               mix(k, 95) % 90000 + 10000, mix(k, 94) % 90 + 10));
    }
}

weir_str text_down_numbered(const scene *s, unsigned k, char *room)
{
    char plain[TEXT_MAX];
    weir_str text = text_down(s, k, plain);
    if (!s->numbered)
        return finish(room, snprintf(room, TEXT_MAX, "%.*s", (int)text.len, plain));
    return finish(room, snprintf(room, TEXT_MAX, "{\"id\":%u,%.*s", k, (int)text.len - 1, plain + 1));
}
