/* doctor: names and proxies. Connections, TLS and clocks are the worker's to judge: it has its own user and sandbox. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/cli/doctor.h"

enum { HOST_SIZE = 256 };

/* The host of a root, https://host[:port]. */
static void host_of(const char *root, char host[HOST_SIZE])
{
    const char *start = strstr(root, "://");

    start = start != NULL ? start + 3 : root;
    size_t length = *start == '[' ? strcspn(++start, "]") : strcspn(start, ":/");
    snprintf(host, HOST_SIZE, "%.*s", (int)length, start);
}

static void add_name(struct ei_doctor *doctor, const char *root)
{
    static const struct ei_check check = {"network", "dns"};
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[HOST_SIZE];

    host_of(root, host);
    int rc = getaddrinfo(host, NULL, &hints, &found);
    if (rc == 0)
        ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "%s is found in DNS", host);
    else
        ei_finding_add(doctor->findings, check, EI_FINDING_FAILED,
                       "see /etc/resolv.conf, and the cloud (or login_url and graph_url) of the configuration",
                       "%s: %s", host, gai_strerror(rc));
    if (found != NULL)
        freeaddrinfo(found);
}

/* K5: nothing of the environment decides where a token goes. */
static void add_proxy(struct ei_doctor *doctor)
{
    static const struct ei_check check = {"network", "proxy"};
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || *value == '\0')
            continue;
        ei_finding_add(doctor->findings, check, EI_FINDING_SKIPPED,
                       "let this host reach the login service and Graph directly, by port 443",
                       "%s is set here; entra-invited uses no proxy, whatever its environment says", names[i]);
        return;
    }
    ei_finding_add(doctor->findings, check, EI_FINDING_OK, NULL, "no proxy is set, and entra-invited uses none");
}

void ei_doctor_network(struct ei_doctor *doctor)
{
    if (doctor->config != NULL) {
        add_name(doctor, doctor->config->login_url);
        if (strcmp(doctor->config->login_url, doctor->config->graph_url) != 0)
            add_name(doctor, doctor->config->graph_url);
    }
    add_proxy(doctor);
}
