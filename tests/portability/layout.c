/* SPDX-License-Identifier: MIT */
/* layout.c - a program that sets up each object whose layout an init function checks, and prints one line for
 * each that is refused. install.sh builds it with headers that differ from those of the library. */
#include <weir/weir.h>

#include <stdio.h>
#include <string.h>

static uint8_t memory[3][8192];

static void say(const char *name, int rv)
{
    if (rv != 0)
        printf("%s: %s\n", name, weir_err_lookup(rv)->name);
}

/* ---- A compressor that needs no memory ------------------------------------------------------------ */

static size_t inflate_size(unsigned bits)
{
    return bits;
}

static int inflate_init(void *mem, size_t len, unsigned bits)
{
    (void)mem;
    return len < bits ? -1 : 0;
}

static void say_deflate(void)
{
    weir_deflate_backend backend;
    weir_deflate_cfg cfg;
    weir_deflate deflate;
    memset(&backend, 0, sizeof backend);
    backend.inflate_size = inflate_size;
    backend.inflate_init = inflate_init;
    memset(&cfg, 0, sizeof cfg);
    cfg.backend = &backend;
    cfg.params.server_bits = cfg.params.client_bits = 15;
    cfg.role = WEIR_WS_SERVER;
    cfg.inflate_mem = memory[0];
    cfg.inflate_len = sizeof memory[0];
    cfg.scratch = memory[1];
    cfg.scratch_len = sizeof memory[1];
    say("weir_deflate", weir_deflate_init(&deflate, &cfg));
}

static int random_fill(void *user, uint8_t *dst, size_t len)
{
    (void)user;
    memset(dst, 1, len);
    return 0;
}

int main(void)
{
    weir_entropy entropy;
    weir_http http;
    weir_ws ws;
    weir_ws_cfg ws_cfg;
    weir_sse_parser parser;
    weir_sse_log log;
    weir_sse_source source;
    weir_sse_source_cfg source_cfg;
    if (weir_version() != WEIR_VERSION_NUM)
        printf("weir_version: other\n");
    say("weir_entropy", weir_entropy_init(&entropy, random_fill, NULL));
    say("weir_http", weir_http_init(&http, WEIR_HTTP_REQUEST, memory[0], sizeof memory[0], NULL));
    weir_ws_cfg_init(&ws_cfg, WEIR_WS_SERVER);
    say("weir_ws", weir_ws_init(&ws, &ws_cfg));
    say_deflate();
    say("weir_sse_parser", weir_sse_parser_init(&parser, memory[0], sizeof memory[0], NULL));
    say("weir_sse_log", weir_sse_log_init(&log, memory[0], sizeof memory[0], NULL));
    weir_sse_source_cfg_init(&source_cfg);
    source_cfg.url = weir_cstr("http://example.org/");
    say("weir_sse_source", weir_sse_source_init(&source, memory, sizeof memory, &source_cfg));
    return 0;
}
