/* SPDX-License-Identifier: MIT */
/*
 * demo_peers.c - those who are in demo_server's room, and those who read its chat.
 *
 *   member  joins the room, speaks, and hears what every other member says: each with the next number
 *   loud    breaks the room's rules, or reads nothing until it is dropped, or is gone without a word
 *   reader  reads an answer to its [DONE], each token compared with what the others got; breaks off now and
 *           then and goes on behind the last id it has seen
 *   drowsy  reads an answer a few bytes at a time, or leaves in the middle of it
 */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The room ------------------------------------------------------------------------------------- */

static void put_text(peer *p, const char *text)
{
    peer_frame(p, 0x81, (const uint8_t *)text, strlen(text));
}

/* What members have said so far: it goes on where they were before a break. */
static uint32_t said[64];

static void member_opened(peer *p)
{
    char text[40];
    snprintf(text, sizeof text, "{\"join\":\"m%u\"}", p->mode);
    put_text(p, text);
    memset(p->seen, 0, sizeof p->seen);
    p->act_at = now_us() + 1000000;
}

static void member_act(peer *p)
{
    char text[40];
    p->act_at = now_us() + draw_in(p, 1000000, 3000000);
    snprintf(text, sizeof text, "{\"say\":\"%u\"}", ++said[p->mode]);
    p->sent_at[said[p->mode] % 8] = now_us();
    put_text(p, text);
}

/* {"type":"say","name":"m12","text":"345"} */
static void member_message(peer *p)
{
    unsigned who, number;
    p->line[p->line_len] = '\0';
    if (sscanf(p->line, "{\"type\":\"say\",\"name\":\"m%u\",\"text\":\"%u\"}", &who, &number) != 2 ||
        who >= 64)
        return;
    if (p->seen[who] != 0 && number != p->seen[who] + 1)
        fault(p, "hears %u from m%u behind %u", number, who, p->seen[who]);
    p->seen[who] = number;
    counts_of(p)->messages++;
    if (who == p->mode)
        times_add(&room_times, now_us() - p->sent_at[number % 8]);
}

static void member_piece(peer *p, uint8_t opcode, const uint8_t *bytes, size_t len)
{
    if (opcode != 1)
        fault(p, "opcode %u in the room", opcode);
    size_t room = sizeof p->line - 1 - p->line_len;
    memcpy(p->line + p->line_len, bytes, len < room ? len : room);
    p->line_len += len < room ? len : room;
    if (p->in.at + len < p->in.len)
        return;
    member_message(p);
    p->line_len = 0;
}

static void member_heard(peer *p, const uint8_t *bytes, size_t len)
{
    if (!peer_frames(p, bytes, len, member_piece))
        fault(p, "Close from the room");
}

static void member_ended(peer *p)
{
    counts_of(p)->lost++;
    fault(p, "dropped by the room");
    p->act_at = now_us() + 1000000;
}

const manner member = {.name = "member",
                       .path = "/room",
                       .demo = true,
                       .opened = member_opened,
                       .act = member_act,
                       .heard = member_heard,
                       .ended = member_ended};

enum { LOUD_BINARY, LOUD_LONG, LOUD_NONSENSE, LOUD_DEAF, LOUD_GONE, LOUDS };

static void loud_opened(peer *p)
{
    char text[40];
    p->mode = (unsigned)draw_in(p, 0, LOUDS - 1);
    snprintf(text, sizeof text, "{\"join\":\"loud %u\"}", p->id);
    put_text(p, text);
    p->act_at = now_us() + draw_in(p, 300000, 2000000);
    if (p->mode == LOUD_DEAF)
        peer_listen(p, false);
}

static void loud_act(peer *p)
{
    p->act_at = now_us() + 6000000;
    if (p->mode == LOUD_GONE || p->sent++ > 3) {
        peer_leave(p, true, draw_in(p, 100000, 3000000));
        counts_of(p)->messages++;
    } else if (p->mode == LOUD_BINARY) {
        peer_frame(p, 0x82, noise, 100);
    } else if (p->mode == LOUD_LONG) {
        peer_frame(p, 0x81, words, 9000);
    } else if (p->mode == LOUD_NONSENSE) {
        p->act_at = now_us() + 300000;
        peer_frame(p, 0x81, words, 100);
    }
}

static void loud_ended(peer *p)
{
    counts_of(p)->messages++;
    p->act_at = now_us() + draw_in(p, 100000, 3000000);
}

const manner loud = {.name = "loud",
                     .path = "/room",
                     .demo = true,
                     .rcvbuf = 4096,
                     .opened = loud_opened,
                     .act = loud_act,
                     .ended = loud_ended};

/* ---- The chat ------------------------------------------------------------------------------------- */

/* The answer to the one question, as the first reader of each token got it. */
enum { TOKENS_MAX = 1000 };
static char *tokens[TOKENS_MAX];
static uint32_t token_count; /* 0 until one has read to the end */

/* mode: the number of the last event, whose id is id_of(p); 0: a new answer. [DONE] has a number too. */
enum { ID_MAX = 60 };

static char *id_of(peer *p)
{
    return (char *)p->seen;
}

static void reader_opened(peer *p)
{
    char text[400];
    const char *id = p->mode != 0 ? id_of(p) : "";
    snprintf(text, sizeof text, "GET /chat/stream?prompt=hello HTTP/1.0\r\nHost: 127.0.0.1\r\n%s%s%s\r\n",
             *id != '\0' ? "Last-Event-ID: " : "", id, *id != '\0' ? "\r\n" : "");
    peer_put(p, text, strlen(text));
    p->owed = draw(p) % 3 == 0; /* breaks off */
    p->act_at = now_us() + (p->owed ? draw_in(p, 200000, 2500000) : 20000000);
    p->sent = p->got = 0;
}

/* Breaks off, to go on; or has waited too long for the end. */
static void reader_act(peer *p)
{
    if (p->owed == 0)
        fault(p, "no [DONE] in 20 s, %u tokens", p->mode);
    peer_leave(p, draw(p) % 2 == 0, draw_in(p, 10000, 500000));
}

static void check_token(peer *p, const char *data)
{
    uint32_t number = p->mode;
    if (number > TOKENS_MAX || number == 0) {
        fault(p, "a token without a number");
    } else if (tokens[number - 1] == NULL) {
        tokens[number - 1] = malloc(strlen(data) + 1);
        if (tokens[number - 1] != NULL)
            strcpy(tokens[number - 1], data);
    } else if (strcmp(tokens[number - 1], data) != 0) {
        fault(p, "token %u is %s instead of %s", number, data, tokens[number - 1]);
    }
    counts_of(p)->messages++;
}

static void reader_done(peer *p)
{
    if (token_count == 0)
        token_count = p->mode;
    if (token_count != p->mode)
        fault(p, "[DONE] behind %u of %u tokens", p->mode, token_count);
    p->mode = 0;
    p->got = 1;
}

static void reader_line(peer *p)
{
    p->line[p->line_len] = '\0';
    if (p->sent == 0) {
        if (strncmp(p->line, "HTTP/1.1 200", 12) != 0)
            fault(p, "answered with %.40s", p->line);
        p->sent = 1;
    } else if (strncmp(p->line, "id: ", 4) == 0) {
        const char *dash = strrchr(p->line, '-');
        unsigned number = dash != NULL ? (unsigned)strtoul(dash + 1, NULL, 10) : 0;
        if (number != p->mode + 1)
            fault(p, "token %u behind %u", number, p->mode);
        p->mode = number;
        snprintf(id_of(p), ID_MAX, "%.58s", p->line + 4);
    } else if (strcmp(p->line, "data: [DONE]") == 0) {
        reader_done(p);
    } else if (strncmp(p->line, "data: ", 6) == 0) {
        check_token(p, p->line + 6);
    }
}

static void reader_heard(peer *p, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            reader_line(p);
            p->line_len = 0;
        } else if (bytes[i] != '\r' && p->line_len < sizeof p->line - 1) {
            p->line[p->line_len++] = (char)bytes[i];
        }
    }
}

static void reader_ended(peer *p)
{
    if (p->got == 0) {
        counts_of(p)->lost++;
        fault(p, "the answer broke off behind token %u", p->mode);
    }
    p->act_at = now_us() + draw_in(p, 10000, 500000);
}

const manner reader = {.name = "reader",
                       .demo = true,
                       .opened = reader_opened,
                       .act = reader_act,
                       .heard = reader_heard,
                       .ended = reader_ended};

static void drowsy_opened(peer *p)
{
    static const char request[] = "GET /chat/stream?prompt=why HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    peer_put(p, request, sizeof request - 1);
    peer_listen(p, false);
    p->sent = (uint32_t)draw_in(p, 3, 40);
    p->act_at = now_us() + 300000;
}

static void drowsy_act(peer *p)
{
    p->act_at = now_us() + 300000;
    if (p->got++ == p->sent) {
        counts_of(p)->messages++;
        peer_leave(p, draw(p) % 2 == 0, draw_in(p, 10000, 1000000));
    } else {
        peer_read(p, 64);
    }
}

static void drowsy_ended(peer *p)
{
    counts_of(p)->messages++;
}

const manner drowsy = {.name = "drowsy",
                       .demo = true,
                       .rcvbuf = 4096,
                       .opened = drowsy_opened,
                       .act = drowsy_act,
                       .ended = drowsy_ended};
