'use strict';
// The token's roles against what a call needs (contract 2.1, 3, 5).

const { GraphError } = require('./answers');

const READ_ALL = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'];
const WRITE = ['User.ReadWrite.All', 'Directory.ReadWrite.All'];

function hasAny(ctx, roles) {
    return roles.some((role) => ctx.token.roles.includes(role));
}

function denied() {
    return new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}

function requireAny(ctx, roles) {
    if (!hasAny(ctx, roles))
        throw denied();
}

/** Returns whether all members may be read, false with only the basic ones; refuses anybody else. */
function requireUserRead(ctx) {
    if (hasAny(ctx, READ_ALL))
        return true;
    requireAny(ctx, ['User.ReadBasic.All']);
    return false;
}

module.exports = { READ_ALL, WRITE, hasAny, requireAny, requireUserRead, denied };
