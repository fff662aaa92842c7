/*
 * The transfers of a graph, in two of libcurl's multi handles: what shares kept connections by HTTP/2, and what has a
 * connection of its own by HTTP/1.1 (the mail, X6; the login service). Inside of one multi handle libcurl (7.88 at
 * least) takes every connection to a host for one that carries many requests as soon as one of them does: a second
 * request goes down the HTTP/1.1 connection of another that is under way, and the two get each other's answers.
 */
#ifndef EI_GRAPH_MULTI_H
#define EI_GRAPH_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>

struct ei_multi {
    CURLM *together;
    CURLM *apart;
};

/* false: no memory; ei_multi_close is due all the same. */
bool ei_multi_open(struct ei_multi *multi);
void ei_multi_close(struct ei_multi *multi);
/* Nothing may be under way. The kept connections are closed; false: no memory, all is as it was. */
bool ei_multi_renew(struct ei_multi *multi);

bool ei_multi_add(struct ei_multi *multi, CURL *easy, bool apart);
void ei_multi_remove(struct ei_multi *multi, CURL *easy, bool apart);

void ei_multi_perform(struct ei_multi *multi);
/* The next transfer that has ended; NULL: none. Good until the handle is removed. */
CURLMsg *ei_multi_ended(struct ei_multi *multi);
/* As curl_multi_poll, for both; what became of the extra descriptors is not told. */
CURLMcode ei_multi_wait(struct ei_multi *multi, const struct curl_waitfd *extra, unsigned count, int timeout_ms);

#endif
