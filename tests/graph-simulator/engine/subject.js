'use strict';
// What a request is about, for the ledger and for faults: its address, null if it is about none, and its POST.

const { ownCopy } = require('./record');
const { ticketOf } = require('../login/redeem');

const GRANTS = ['client_credentials', 'device_code', 'refresh_token'];

function isText(value) {
    return typeof value === 'string' && value !== '';
}

function ofUser(user) {
    return user ? user.props.mail || (user.props.otherMails || [])[0] || null : null;
}

/** The first address that a filter quotes; of a guest's UPN the address is not recovered. */
function inFilter(queryText) {
    let text;
    try {
        text = decodeURIComponent(queryText.replace(/\+/g, ' '));
    } catch (error) {
        return null;
    }
    for (const [, quoted] of text.matchAll(/'((?:[^']|'')*)'/g)) {
        const value = quoted.replace(/''/g, "'").replace(/^smtp:/i, '');
        if (value.includes('@') && !value.includes('#EXT#'))
            return ownCopy(value);
    }
    return null;
}

/** Of the reference in a body: the last segment of its URL is the id. */
function referredUser(sim, ctx) {
    const link = ctx.json && ctx.json['@odata.id'];
    return isText(link) ? sim.store.user(link.split('/').pop()) : null;
}

function addressOf(sim, ctx, route) {
    const [key] = route.parameters;
    switch (route.template) {
    case '/v1.0/invitations': {
        const address = ctx.json && ctx.json.invitedUserEmailAddress;
        return isText(address) ? address : null;
    }
    case '/v1.0/users':
    case '/v1.0/directory/deletedItems/microsoft.graph.user':
        return inFilter(ctx.queryText);
    case '/v1.0/users/{id}':
    case '/v1.0/users/{id}/checkMemberGroups':
    case '/v1.0/users/{id}/sponsors':
    case '/v1.0/users/{id}/sponsors/$ref':
    case '/v1.0/users/{id}/sponsors/{sponsor}/$ref':
        return ofUser(sim.store.user(key) || sim.store.deleted.withId(key));
    case '/v1.0/directory/deletedItems/{id}':
    case '/v1.0/directory/deletedItems/{id}/restore':
        return ofUser(sim.store.deleted.withId(key));
    case '/v1.0/groups/{id}/members/$ref':
        return ofUser(referredUser(sim, ctx));
    case '/redeem': {
        const invitation = sim.store.invitations.get(ticketOf(ctx.queryText));
        return invitation ? invitation.address : null;
    }
    default:
        return null;
    }
}

/** The last part of a token request's grant_type, null if it is none that is played. */
function grantOf(ctx) {
    const text = new URLSearchParams(ctx.body.toString('utf8')).get('grant_type') || '';
    const grant = text.slice(text.lastIndexOf(':') + 1);
    return GRANTS.includes(grant) ? grant : null;
}

/** What is known of a request once its body is there: the address, and for an invitation the POST in the ledger. */
function understand(sim, ctx, route) {
    const { record } = ctx;
    record.address = addressOf(sim, ctx, route);
    if (route.template === '/v1.0/invitations' && ctx.method === 'POST') {
        const sent = ctx.json !== null && typeof ctx.json === 'object' ? ctx.json : {};
        record.mail = sent.sendInvitationMessage === true;
        ctx.post = sim.ledger.post(record, record.address || '', sent);
    }
    if (record.isGraph && ctx.body.length > 0)
        record.body = ctx.json === undefined ? null : ctx.json;
    if (route.template === '/{tenant}/oauth2/v2.0/token')
        record.grant = grantOf(ctx);
    record.bodyRead = true;
}

module.exports = { understand };
