group last entra_invite
