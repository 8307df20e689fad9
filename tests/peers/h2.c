/* SPDX-License-Identifier: MIT */
/* h2.c - two HTTP/2 sessions of nghttp2, connected in memory, with a WebSocket on one of their streams. */
#include "h2.h"

#include "check.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Fields ----------------------------------------------------------------------------------------- */

static weir_str fields_copy(h2_fields *fields, weir_str bytes)
{
    uint8_t *at = fields->text + fields->text_len;
    assert_true(bytes.len <= H2_TEXT - fields->text_len);
    if (bytes.len != 0)
        memcpy(at, bytes.ptr, bytes.len);
    fields->text_len += bytes.len;
    return (weir_str){at, bytes.len};
}

void h2_fields_add(h2_fields *fields, weir_str name, weir_str value)
{
    assert_true(fields->count < H2_FIELDS);
    weir_http_field *field = &fields->list[fields->count++];
    field->name = fields_copy(fields, name);
    field->value = fields_copy(fields, value);
}

weir_http_fields h2_walk(const h2_fields *fields)
{
    return (weir_http_fields){{NULL, 0}, fields->list, fields->count};
}

weir_str h2_pseudo(const h2_end *e, const char *name)
{
    weir_http_fields walk = h2_walk(&e->pseudo);
    weir_str value;
    return weir_http_fields_find(&walk, name, &value) ? value : (weir_str){NULL, 0};
}

/* ---- What nghttp2 reports ----------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_end *e = user;
    (void)session;
    if (!e->client) {
        e->stream = frame->hd.stream_id;
        e->ended = e->closed = e->out_end = false;
        e->in_from = e->in_to = e->out_from = e->out_to = 0;
    }
    e->pseudo.count = e->pseudo.text_len = e->fields.count = e->fields.text_len = 0;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    h2_end *e = user;
    (void)session, (void)frame, (void)flags;
    h2_fields_add(name_len != 0 && name[0] == ':' ? &e->pseudo : &e->fields, (weir_str){name, name_len},
                  (weir_str){value, value_len});
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    h2_end *e = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS)
        e->head = true;
    if (frame->hd.type == NGHTTP2_DATA)
        e->frames++;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        e->ended = true;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len,
                   void *user)
{
    h2_end *e = user;
    (void)session, (void)flags;
    assert_int_equal(stream, e->stream);
    if (e->in_from == e->in_to)
        e->in_from = e->in_to = 0;
    assert_true(len <= H2_QUEUE - e->in_to);
    memcpy(e->in + e->in_to, data, len);
    e->in_to += len;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    h2_end *e = user;
    (void)session;
    if (stream == e->stream) {
        e->closed = true;
        e->code = code;
    }
    return 0;
}

/* ---- DATA on its way out --------------------------------------------------------------------------------
 * */

static ssize_t read_out(nghttp2_session *session, int32_t stream, uint8_t *dst, size_t len, uint32_t *flags,
                        nghttp2_data_source *source, void *user)
{
    h2_end *e = user;
    size_t n = e->out_to - e->out_from;
    (void)session, (void)stream, (void)source;
    if (n == 0 && !e->out_end)
        return NGHTTP2_ERR_DEFERRED;
    n = n < len ? n : len;
    n = n < e->most ? n : e->most;
    memcpy(dst, e->out + e->out_from, n);
    e->out_from += n;
    if (e->out_from == e->out_to && e->out_end)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

weir_out h2_room(h2_end *e)
{
    if (e->out_from == e->out_to)
        e->out_from = e->out_to = 0;
    return (weir_out){e->out + e->out_to, H2_QUEUE - e->out_to};
}

void h2_say(h2_end *e, weir_out after, bool end)
{
    e->out_to = (size_t)(after.ptr - e->out);
    e->out_end = e->out_end || end;
    if (!e->closed)
        (void)nghttp2_session_resume_data(e->session, e->stream); /* or it was not waiting */
}

void h2_took(h2_end *e, size_t n)
{
    e->in_from += n;
    if (!e->closed)
        assert_int_equal(nghttp2_session_consume(e->session, e->stream, n), 0);
}

void h2_reset(h2_end *e, uint32_t code)
{
    assert_int_equal(nghttp2_submit_rst_stream(e->session, NGHTTP2_FLAG_NONE, e->stream, code), 0);
}

/* ---- Connections
 * -------------------------------------------------------------------------------------------- */

static void end_init(h2_end *e, bool client, bool plain, uint32_t window, size_t most)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
                                         {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}};
    memset(e, 0, sizeof *e);
    e->client = client;
    e->most = most;
    e->in = malloc(H2_QUEUE);
    e->out = malloc(H2_QUEUE);
    assert_true(e->in != NULL && e->out != NULL);
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    assert_int_equal(client ? nghttp2_session_client_new2(&e->session, callbacks, e, option)
                            : nghttp2_session_server_new2(&e->session, callbacks, e, option),
                     0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    assert_int_equal(
        nghttp2_submit_settings(e->session, NGHTTP2_FLAG_NONE, settings, client || plain ? 1 : 2), 0);
}

void h2_init(h2_pair *p, bool plain, uint32_t window, size_t most)
{
    end_init(&p->client, true, plain, window, most);
    end_init(&p->server, false, plain, window, most);
    p->cuts = window * 31 + (uint32_t)most;
}

static void end_free(h2_end *e)
{
    nghttp2_session_del(e->session);
    free(e->in);
    free(e->out);
}

void h2_free(h2_pair *p)
{
    end_free(&p->client);
    end_free(&p->server);
}

/* One end hears what the other has to say now. Returns whether there was anything. */
static bool pass(h2_pair *p, h2_end *from, h2_end *to)
{
    const uint8_t *bytes;
    ssize_t len = nghttp2_session_mem_send(from->session, &bytes);
    assert_true(len >= 0);
    for (ssize_t at = 0; at < len;) {
        p->cuts = p->cuts * 1664525u + 1013904223u;
        ssize_t n = (ssize_t)(1 + (p->cuts >> 24) % 40);
        n = n < len - at ? n : len - at;
        uint8_t *piece = guard_copy(bytes + at, (size_t)n, false);
        assert_int_equal(nghttp2_session_mem_recv(to->session, piece, (size_t)n), n);
        guard_free(piece);
        at += n;
    }
    return len > 0;
}

void h2_exchange(h2_pair *p)
{
    bool said = true;
    while (said) {
        said = pass(p, &p->client, &p->server);
        said = pass(p, &p->server, &p->client) || said;
    }
}

static nghttp2_nv nv_of(const weir_http_field *field)
{
    union {
        const uint8_t *given;
        uint8_t *taken; /* nghttp2 copies the bytes but does not say const */
    } name = {field->name.ptr}, value = {field->value.ptr};
    return (nghttp2_nv){name.taken, value.taken, field->name.len, field->value.len, NGHTTP2_NV_FLAG_NONE};
}

static size_t nv_list(nghttp2_nv *list, const weir_http_field *fields, size_t count)
{
    assert_true(count <= H2_FIELDS);
    for (size_t i = 0; i < count; i++)
        list[i] = nv_of(&fields[i]);
    return count;
}

static const nghttp2_data_provider provider = {{0}, read_out};

void h2_request(h2_pair *p, const weir_http_field *fields, size_t count, bool body)
{
    h2_end *e = &p->client;
    nghttp2_nv list[H2_FIELDS];
    e->ended = e->closed = e->out_end = e->head = false;
    e->in_from = e->in_to = e->out_from = e->out_to = 0;
    e->pseudo.count = e->fields.count = 0;
    e->stream = nghttp2_submit_request(e->session, NULL, list, nv_list(list, fields, count),
                                       body ? &provider : NULL, NULL);
    assert_true(e->stream > 0);
}

void h2_respond(h2_pair *p, unsigned status, const weir_http_field *fields, size_t count, bool body)
{
    h2_end *e = &p->server;
    char text[4];
    nghttp2_nv list[H2_FIELDS];
    snprintf(text, sizeof text, "%u", status % 1000);
    const weir_http_field first = {weir_cstr(":status"), weir_cstr(text)};
    list[0] = nv_of(&first);
    count = 1 + nv_list(list + 1, fields, count < H2_FIELDS ? count : 0);
    assert_int_equal(nghttp2_submit_response(e->session, e->stream, list, count, body ? &provider : NULL), 0);
}

/* ---- A WebSocket on it
 * ---------------------------------------------------------------------------------------- */

weir_http_head h2_head(const h2_end *e)
{
    weir_http_head head;
    memset(&head, 0, sizeof head);
    head.kind = WEIR_HTTP_REQUEST;
    head.method = h2_pseudo(e, ":method");
    head.target = h2_pseudo(e, ":path");
    head.host = h2_pseudo(e, ":authority");
    head.fields = h2_walk(&e->fields);
    return head;
}

unsigned h2_refusal(int err)
{
    unsigned status = weir_err_lookup(err)->status;
    return status == 426 ? 400 : status;
}

void h2_offer(h2_pair *p, const weir_ws_offer *offer)
{
    weir_http_field fields[5 + WEIR_WS_EXTENDED_FIELDS] = {
        {weir_cstr(":method"), weir_cstr("CONNECT")},
        {weir_cstr(":protocol"), weir_cstr("websocket")},
        {weir_cstr(":scheme"), weir_cstr("https")},
        {weir_cstr(":path"), weir_cstr("/chat?room=1")},
        {weir_cstr(":authority"), weir_cstr("example.org")}};
    uint8_t room[256];
    weir_out scratch = {room, sizeof room};
    int count = weir_ws_extended_offer(offer, &scratch, fields + 5);
    assert_true(count > 0);
    h2_request(p, fields, 5 + (size_t)count, true);
}

int h2_judge(h2_pair *p, const char *spoken, weir_deflate_params *packed, bool *agreed)
{
    h2_end *e = &p->server;
    weir_ws_request req;
    weir_ws_accept accept;
    weir_http_field fields[WEIR_WS_EXTENDED_FIELDS];
    uint8_t room[WEIR_DEFLATE_VALUE_MAX];
    weir_out scratch = {room, sizeof room};
    assert_true(e->head);
    e->head = false;
    weir_http_head head = h2_head(e);
    int rv = weir_ws_extended_read(&head, h2_pseudo(e, ":protocol"), &req);
    if (rv < 0) {
        h2_respond(p, h2_refusal(rv), NULL, 0, false);
        return rv;
    }
    memset(&accept, 0, sizeof accept);
    if (spoken != NULL && weir_ws_request_protocol(&req, &spoken, 1) == 0)
        accept.protocol = spoken;
    if (packed != NULL) {
        *agreed = weir_deflate_negotiate(req.fields, NULL, packed) > 0;
        accept.deflate = *agreed ? packed : NULL;
    }
    int count = weir_ws_extended_accept(&req, &accept, &scratch, fields);
    assert_true(count >= 0);
    h2_respond(p, 200, fields, (size_t)count, true);
    return 0;
}
