/* SPDX-License-Identifier: MIT */
/*
 * room.h - the demo's live room: who is there, who comes and goes, and what they say, over WebSocket.
 *
 *     weir_ws_request request;
 *     int rv = weir_ws_request_read(&head, &request);
 *     if (rv == 0) rv = room_enter(c, &request);     the connection is the room's from here on
 *
 * Messages are JSON texts, compressed for those who agree on permessage-deflate. A visitor sends
 * {"join":"name"}, then any number of {"say":"text"}. The room sends
 *
 *     {"type":"welcome","name":"Ada 2","online":["Ada","Ada 2"]}   to who has joined: the name it got
 *     {"type":"join","name":"Ada 2","online":2}                    to the others
 *     {"type":"leave","name":"Ada 2","online":1,"why":"left"}      or "lost": gone without a Close
 *     {"type":"say","name":"Ada 2","text":"hello"}                 to all, the speaker included
 *     {"type":"error","text":"..."}                                to who did something wrong
 */
#ifndef DEMO_ROOM_H
#define DEMO_ROOM_H

#include "../adapters/poll.h"

/* Accepts the WebSocket. Returns 0, or the weir_err to be answered. */
int room_enter(conn *c, const weir_ws_request *request);

#endif
