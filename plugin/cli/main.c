/* entra-invite: invites people of other organisations and says where they stand. */
#include <stddef.h>

#include "common/base/secret.h"
#include "plugin/cli/cli.h"

int main(int argc, char **argv)
{
    ei_secret_harden_process(); /* answers carry redeem URLs */
    return ei_cli_run(argc, argv, NULL);
}
