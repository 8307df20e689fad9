/* SPDX-License-Identifier: MIT */
/* extension.h - floor 3: the grammar of Sec-WebSocket-Extensions (RFC 6455 9.1). */
#ifndef WEIRI_EXTENSION_H
#define WEIRI_EXTENSION_H

#include "weir/http.h"

/* One extension of a list: `params` is what stands behind its name, checked. */
typedef struct weiri_extension {
    weir_str name;
    weir_str params;
} weiri_extension;

/* One parameter; a quoted value is given without its quotes, but with its backslashes. */
typedef struct weiri_param {
    weir_str name;
    weir_str value; /* absent (ptr NULL) without '=' */
} weiri_param;

/* Takes the next extension of a field's value. Returns 1, 0 at the end, -1 if malformed. */
int weiri_extension_next(weir_str *list, weiri_extension *extension);

/* Takes the next parameter of an extension; false at the end. */
bool weiri_param_next(weir_str *params, weiri_param *param);

/* A value that is a decimal number of one or two digits without a leading zero, backslashes removed;
 * -1 for anything else. */
int weiri_param_number(weir_str value);

/* Is a field's value well formed? */
bool weiri_extension_list_valid(weir_str list);

/* Are all fields of this kind well formed? */
bool weiri_extensions_valid(weir_http_fields fields);

#endif
