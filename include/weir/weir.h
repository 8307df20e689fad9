/* SPDX-License-Identifier: MIT */
/*
 * weir/weir.h - all of weir: WebSocket (RFC 6455) and Server-Sent Events (WHATWG HTML 9.2) for
 * programs that have their own sockets, event loop, TLS and memory.
 *
 *     #include <weir/weir.h>
 *
 * base.h   slices, cursors, the error list
 * http.h   HTTP/1.1 heads, bodies, replies, origins
 * ws.h     WebSocket: opening handshake, messages, closing
 * deflate.h  permessage-deflate; zlib.h, not included here, is its zlib backend
 * sse.h    event streams: request, reply, writer; parser, replay log, event source
 * pulse.h  deadlines
 *
 * Conventions
 *
 * Bytes in, events out. weir does no I/O. You hand it the bytes that arrived and call ..._next until
 * it returns 0 or less; you tell it what to send and get bytes for your socket. There are no
 * callbacks; the one function pointer is a client's entropy source.
 *
 * Results. Above 0: an event, the value says which. 0: done, or "give me more". Below 0: a weir_err,
 * see WEIR_ERR_LIST in base.h. Errors of the peer are sticky; misuse (-1..-99) changes nothing.
 *
 * Memory. Every object is a struct that you place where you like; weir allocates nothing, so nothing
 * needs to be freed. No peer can make weir hold more than its struct and the buffers you gave it.
 * Members whose names end in '_' are private. Objects may be copied and moved byte by byte between calls,
 * but for weir_entropy and weir_deflate, which stay where they are: others keep pointers to them.
 *
 * Pointers are not checked for NULL unless a comment allows NULL. A slice with len 0 may have any
 * ptr. No call keeps a pointer to its arguments unless its comment says so.
 *
 * The cut does not matter. However a stream is cut into calls, the events, errors, offsets and
 * replies are the same; the borders between pieces of streamed payload are the one exception.
 *
 * Time. Codecs know no clock. Deadlines live in weir_pulse and are told the time.
 *
 * Threads. weir has no global state. An object is used by one thread at a time; different objects
 * are independent.
 *
 * [in,out] and [out] behind a parameter say that the call changes what it points to; without a mark
 * it only reads it.
 *
 * ABI. Init functions are macros that pass the headers' version and the size of the struct, so that a
 * shared library can refuse a program that was built with another layout (WEIR_ERR_LAYOUT). Until 1.0
 * layouts may change with each minor version, and the shared library's name with them.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include "weir/base.h"
#include "weir/deflate.h"
#include "weir/http.h"
#include "weir/pulse.h"
#include "weir/sse.h"
#include "weir/ws.h"

#endif
