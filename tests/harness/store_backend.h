/* SPDX-License-Identifier: MIT */
/* store_backend.h - a deflate backend that does not compress: weir's own part at work without zlib. */
#ifndef WEIR_TEST_STORE_BACKEND_H
#define WEIR_TEST_STORE_BACKEND_H

#include "weir/deflate.h"

extern const weir_deflate_backend store_backend;

#endif
