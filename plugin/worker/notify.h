/* systemd's readiness protocol, without its library: a datagram to $NOTIFY_SOCKET. Without systemd nothing happens. */
#ifndef EI_WORKER_NOTIFY_H
#define EI_WORKER_NOTIFY_H

#include <stdint.h>

/* Takes the socket and the watchdog's period from the environment and removes both from it. */
void ei_notify_open(void);
/* message: "READY=1", "STATUS=…", "STOPPING=1", lines joined by \n. */
void ei_notify(const char *message);
/* Half the watchdog's period in ms, -1 if there is none. */
int64_t ei_notify_watchdog_ms(void);
/* The listening socket that systemd passed, or -1. Taken once. */
int ei_notify_listen_fd(void);

#endif
