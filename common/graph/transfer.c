#include "common/graph/transfer.h"

#include <string.h>
#include <strings.h>

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

bool ei_transfer_set_protocol(CURL *easy, const char *name, long bit)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    bool one_only = SET(CURLOPT_PROTOCOLS_STR, name);
    (void)bit;
#else
    bool one_only = SET(CURLOPT_PROTOCOLS, bit);
    (void)name;
#endif
    return one_only && SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_NOSIGNAL, 1L);
}

bool ei_transfer_set_tls(CURL *easy, const char *ca_file)
{
    if (!SET(CURLOPT_SSL_VERIFYPEER, 1L) || !SET(CURLOPT_SSL_VERIFYHOST, 2L) ||
        !SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
        return false;
    /* ca_file is instead of the system's certificates, not beside them: without this the directory would count too. */
    if (ca_file != NULL)
        return SET(CURLOPT_CAINFO, ca_file) && SET(CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Reading the system's bundle is most of the cost of a fresh connection (each mail POST). libcurl keeps it parsed,
     * but only where no directory is searched as well. */
    char *bundle = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle) == CURLE_OK && bundle != NULL)
        return SET(CURLOPT_CAPATH, NULL);
#endif
    return true;
}

/* A count of 0 alone does not prove it: a write that failed or timed out half-way is not counted, so the failure must
 * lie before the request's turn (PRETRANSFER is 0 until the connection stands) or be of a kind that only comes before
 * it. */
bool ei_transfer_unsent(CURL *easy, CURLcode code)
{
    long bytes = 0;
    curl_off_t turn = 0;

    if (curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes != 0)
        return false;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return true;
    default:
        return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &turn) == CURLE_OK && turn == 0;
    }
}

bool ei_transfer_untrusted(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_CRL_BADFILE;
}

void ei_transfer_keep_header(const char *line, size_t length, const char *name, char *value, size_t size)
{
    size_t name_length = strlen(name);

    if (length <= name_length || line[name_length] != ':' || strncasecmp(line, name, name_length) != 0)
        return;
    line += name_length + 1;
    length -= name_length + 1;
    while (length != 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    while (length != 0 && (unsigned char)line[length - 1] <= ' ')
        length--;
    if (length >= size || memchr(line, '\0', length) != NULL)
        length = 0;
    memcpy(value, line, length);
    value[length] = '\0';
}

void ei_headers_free(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header != NULL; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(headers);
}
