/* SPDX-License-Identifier: MIT */
/* error.c - floor 1: the error list as a table. */
#include "weir/base.h"

#define ROW(name, value, text, section, code, status) {value, "WEIR_ERR_" #name, text, section, code, status},

static const weir_err_info error_rows[] = {{WEIR_OK, "WEIR_OK", "no error", "", 0, 0}, WEIR_ERR_LIST(ROW)};

static const weir_err_info error_unknown = {-32768, "WEIR_ERR_UNKNOWN", "unknown error", "", 0, 0};

const weir_err_info *weir_err_lookup(int err)
{
    for (size_t i = 0; i < sizeof error_rows / sizeof *error_rows; i++)
        if (error_rows[i].err == err)
            return &error_rows[i];
    return &error_unknown;
}

const char *weir_strerror(int err)
{
    return weir_err_lookup(err)->text;
}
