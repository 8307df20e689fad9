/* SPDX-License-Identifier: MIT */
/*
 * sse_write.c - writes an event stream to stdout: one event for each line of JSON on stdin, as in
 * {"type":"a","data":"b","id":"c"}, of which any may be missing; a comment for {"comment":"d"}.
 */
#include "demo/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

/* The string under a key, on the heap; absent (ptr NULL) if there is none. */
static weir_str member(json_value object, const char *key)
{
    json_value value;
    size_t len = 0;
    if (!json_get(object, key, &value))
        return (weir_str){NULL, 0};
    char *text = malloc(value.len + 1);
    if (text == NULL || !json_text(value, text, &len))
        exit(3);
    return (weir_str){(uint8_t *)text, len};
}

static void write_out(const weir_sse_event *event, weir_str comment)
{
    size_t size = 3 * comment.len + 4;
    if (comment.ptr == NULL && weir_sse_event_size(event, &size) != 0)
        exit(4);
    uint8_t *bytes = malloc(size + 1);
    weir_out out = {bytes, size};
    int rv = comment.ptr != NULL ? weir_sse_comment_write(&out, comment) : weir_sse_event_write(&out, event);
    if (bytes == NULL || rv != 0 || (comment.ptr == NULL && out.len != 0))
        exit(5);
    fwrite(bytes, 1, size - out.len, stdout);
    free(bytes);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        json_value object;
        if (!json_read(line, (size_t)len, &object))
            return 2;
        weir_str comment = member(object, "comment");
        weir_sse_event event = {member(object, "type"), member(object, "data"), member(object, "id"), false,
                                0};
        write_out(&event, comment);
        free((void *)(uintptr_t)comment.ptr);
        free((void *)(uintptr_t)event.type.ptr);
        free((void *)(uintptr_t)event.data.ptr);
        free((void *)(uintptr_t)event.id.ptr);
    }
    free(line);
    return 0;
}
