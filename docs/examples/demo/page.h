/* SPDX-License-Identifier: MIT */
/* page.h - the demo's one page, page.html, built into the program. */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

/* Generated from page.html when the program is built; not NUL-terminated. */
extern const unsigned char demo_page[];
extern const unsigned long demo_page_len;

#endif
