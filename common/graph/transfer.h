/* What every transfer by libcurl has in common: TLS, what a failure proves, headers that are secrets. Also for
 * common/deliver. */
#ifndef EI_GRAPH_TRANSFER_H
#define EI_GRAPH_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/* Certificate and name are checked, TLS 1.2 at least; ca_file instead of the system's trust store, NULL: that. */
bool ei_transfer_set_tls(CURL *easy, const char *ca_file);

/* One protocol and no other, by libcurl's name and by its bit, which older ones want (CURLPROTO_HTTPS); no redirect is
 * followed, and nothing is taken from the environment or the user's files (K5). */
bool ei_transfer_set_protocol(CURL *easy, const char *name, long bit);

/* X5: whether not one byte of an HTTP request was written. */
bool ei_transfer_unsent(CURL *easy, CURLcode code);

/* The failure is of the certificate, or of what it is checked with. */
bool ei_transfer_untrusted(CURLcode code);

/* Copies the value if the line of length bytes is this header; one that is too long for size is as good as none. */
void ei_transfer_keep_header(const char *line, size_t length, const char *name, char *value, size_t size);

/* Erases them; NULL is fine. */
void ei_headers_free(struct curl_slist *headers);

#endif
