'use strict';
// The partner's side: opening a redeem URL, signing in and consenting (contract 2.5, 4.1).

const { htmlPage } = require('../graph/answers');
const { fold } = require('../engine/address');

function decodeLeniently(text) {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        return text;
    }
}

/** The ticket inside rd, or null: the inner URL is encoded once, its ticket twice more. */
function ticketOf(queryText) {
    const match = /(?:^|&)rd=([^&]*)/.exec(queryText);
    const inner = match && /[?&]ticket=([^&]*)/.exec(decodeLeniently(match[1]));
    if (!inner)
        return null;
    const ticket = decodeLeniently(decodeLeniently(inner[1]));
    return ticket.endsWith('=') ? ticket.slice(0, -1) : null;
}

/** After redemption an identity names the provider (contract 3). */
function identityAt(provider, address) {
    const isNamedByAddress = provider !== 'ExternalAzureAD';
    return { signInType: 'federated', issuer: provider, issuerAssignedId: isNamedByAddress ? address : null };
}

/** Makes a pending guest accepted. Says false if there was nothing to accept. */
function accept(sim, guest, address, provider) {
    if (guest.props.externalUserState !== 'PendingAcceptance')
        return false;
    sim.store.changeUser(guest, {
        externalUserState: 'Accepted',
        externalUserStateChangeDateTime: sim.clock.graphTime(),
        identities: [...guest.props.identities, identityAt(provider || sim.settings.identityProvider, address)],
    }, sim.settings.replication.staleMs);
    return true;
}

function openUrl(sim, ctx) {
    const invitation = sim.store.invitations.get(ticketOf(ctx.queryText));
    const guest = invitation && sim.store.users.withId(invitation.guest.props.id);
    if (!guest)
        return htmlPage(400, 'AADB2B_0002: This invitation is not valid.');
    if (!guest.props.accountEnabled)
        return htmlPage(403, 'Your account has been blocked in this organization.');
    if (accept(sim, guest, invitation.address)) {
        sim.ledger.redeemed(invitation.address, {
            time: sim.ledger.time(), guestId: guest.props.id, via: 'url',
            exact: `${sim.urls.login}${ctx.rawUrl}` === invitation.url,
        });
    }
    ctx.effect();
    return { status: 302, headers: { location: invitation.redirectUrl }, body: '' };
}

/** What `ctl redeem ADDRESS` does. Throws Error if nobody can redeem for it. */
function redeemByAddress(sim, address, provider) {
    const invitation = sim.store.invitationsByAddress.get(fold(address));
    const guests = sim.store.users.find('address', address);
    const guest = (invitation && sim.store.users.withId(invitation.guest.props.id))
        || guests.find((user) => user.props.externalUserState !== undefined && user.props.externalUserState !== null);
    if (!guest)
        throw new Error(`no guest has the address ${address}`);
    if (!guest.props.accountEnabled)
        throw new Error(`the guest ${address} is disabled`);
    if (accept(sim, guest, address, provider))
        sim.ledger.redeemed(address, { time: sim.ledger.time(), guestId: guest.props.id, via: 'control', exact: true });
    return sim.store.view(guest);
}

module.exports = { openUrl, redeemByAddress, ticketOf };
