/*
 * The least that an idle worker takes: the same libraries, the database open, one kept HTTP/2 connection.
 *
 *   bare-idle DATABASE URL CA-FILE
 *
 * Says "ready" once it is, and waits for a signal.
 */
#include <curl/curl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static void fetch(CURLM *multi, const char *url, const char *ca)
{
    CURL *easy = curl_easy_init();
    int running = 1;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_multi_add_handle(multi, easy);
    while (running != 0) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
    sqlite3 *db;

    if (argc != 4) {
        fprintf(stderr, "usage: bare-idle DATABASE URL CA-FILE\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    fetch(multi, argv[2], argv[3]);
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "SELECT count(*) FROM meta", NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "bare-idle: %s\n", sqlite3_errmsg(db));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
