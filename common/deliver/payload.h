/* What each kind of chat takes: JSON texts. No transfer. */
#ifndef EI_DELIVER_PAYLOAD_H
#define EI_DELIVER_PAYLOAD_H

#include "common/base/buffer.h"
#include "common/deliver/deliver.h"

/*
 * Appends the body of the POST.
 *
 * JSON: {"event": "invitation", "id": …, "login": …, "email": …, "name": …, "rule": …, "hosts": […], "sponsor": …,
 * "expires": "2026-11-30T16:29:00Z", "url": …, "subject": …, "text": …}, null for what is unknown.
 * SLACK: {"text": "SUBJECT\n\nBODY", …}; links are not unfurled, lest Slack open the redeem URL.
 * TEAMS: {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl":
 * null, "content": {an Adaptive Card}}]}. The card's text is in RichTextBlocks, which know no Markdown, so that no
 * value can make a link; the redeem URL has a button.
 *
 * EI_USAGE names what is missing or no UTF-8; EI_NOMEM.
 */
enum ei_err ei_payload_write(enum ei_webhook_format format, const struct ei_chat *chat, struct ei_buffer *out,
                             struct ei_error *err);

#endif
