'use strict';
// POST /invitations (contract 2).

const { GraphError, json, htmlPage } = require('./answers');
const { checkBody, readMessageInfo, ignoredMembers, normalizedUrl, badRequest } = require('./invitation-body');
const { hasAny, requireAny, WRITE } = require('./permissions');
const sponsors = require('./sponsors');
const { fold, domainOf } = require('../engine/address');

const INVITERS = ['Guest Inviter', 'Directory Writers', 'User Administrator', 'Global Administrator'];

function forbidden(message) {
    return new GraphError(403, 'Forbidden', message);
}

/** Contract 2.1: with adminsAndGuestInviters an app needs User.Invite.All itself, a person a role. */
function mayInvite(sim, ctx) {
    const { person } = ctx.token;
    const hasRole = sim.settings.personRoles.some((role) => INVITERS.includes(role));
    switch (sim.settings.allowInvitesFrom) {
    case 'none':
        return false;
    case 'adminsAndGuestInviters':
        return person ? hasRole : hasAny(ctx, ['User.Invite.All']);
    case 'adminsGuestInvitersAndAllMembers':
        return !person || hasRole || person.props.userType === 'Member';
    default:
        return true;
    }
}

function checkPolicy(sim, ctx) {
    requireAny(ctx, ['User.Invite.All', ...WRITE]);
    if (!mayInvite(sim, ctx))
        throw forbidden('Guest invitations not allowed for your company. Contact your company administrator for '
            + 'more details.');
}

function checkDomain(sim, address) {
    const domain = domainOf(address);
    if (domain === fold(sim.tenant.initialDomain))
        throw badRequest('Invitee is in inviter tenant.');
    const isOwn = sim.settings.domains.some((own) => own.isVerified !== false && fold(own.name) === domain);
    if (isOwn)
        throw badRequest('The domain of the user\'s email address is a verified domain of this directory.');
    const { allowDomains, denyDomains } = sim.settings;
    const isListed = (list) => list.some((name) => fold(name) === domain);
    if (isListed(denyDomains) || (allowDomains !== null && !isListed(allowDomains)))
        throw badRequest('The invited user\'s domain is not allowed by the B2B collaboration policy of this '
            + 'directory.');
}

/** Invited, self-service and e-mail verified users, and Members with an #EXT# UPN, live in another directory. */
function isExternal(user) {
    const { props } = user;
    return ['Invitation', 'SelfServiceSignUp', 'EmailVerified'].includes(props.creationType)
        || props.userPrincipalName.includes('#EXT#');
}

/** The guest that an invitation of this address is for, null if it is new (contract 2.6, 2.7). */
function existingGuest(sim, address) {
    const others = sim.store.others.find('address', address);
    if (others.some((object) => object.kind === 'group'))
        throw badRequest('Group email address is not supported.');
    const users = sim.store.users.find('address', address);
    const internal = users.filter((user) => !isExternal(user));
    if (internal.length > 1)
        throw badRequest('The address conflicts with an ambiguous user: more than one user has it.');
    if (internal.length === 1) {
        const { id, accountEnabled } = internal[0].props;
        throw badRequest(accountEnabled
            ? `The invited user already exists in the directory as object ID: ${id}. They can use that account to `
                + 'sign in to shared apps and resources.'
            : `The invited user already exists in the directory as object ID: ${id}, but the account is blocked `
                + 'from signing in.');
    }
    const guest = users.find((user) => fold(user.props.mail || '') === fold(address)) || users[0] || null;
    if (guest && !guest.props.accountEnabled && guest.props.externalUserState === 'PendingAcceptance')
        throw badRequest('The guest can\'t be invited again: the account is disabled and its invitation is pending.');
    return guest;
}

function freePrincipalName(sim, address) {
    const stem = address.replace('@', '_');
    let name = `${stem}#EXT#@${sim.tenant.initialDomain}`;
    for (let n = 1; sim.store.users.find('userPrincipalName', name).length; n++)
        name = `${stem}${n}#EXT#@${sim.tenant.initialDomain}`;
    return name;
}

/** Before redemption the only identity is the host domain's (contract 3). */
function ownIdentity(sim, principalName) {
    return { signInType: 'userPrincipalName', issuer: sim.tenant.initialDomain, issuerAssignedId: principalName };
}

function guestProperties(sim, body) {
    const address = body.invitedUserEmailAddress;
    const now = sim.clock.graphTime();
    const principalName = freePrincipalName(sim, address);
    const hasContact = sim.store.others.find('address', address).length > 0;
    return {
        id: sim.ids.guid('user'),
        displayName: body.invitedUserDisplayName || address.split('@')[0],
        mail: hasContact ? null : address,
        userPrincipalName: principalName,
        userType: body.invitedUserType || 'Guest',
        accountEnabled: true,
        creationType: 'Invitation',
        createdDateTime: now,
        externalUserState: 'PendingAcceptance',
        externalUserStateChangeDateTime: now,
        otherMails: [address],
        proxyAddresses: hasContact ? [] : [`SMTP:${address}`],
        identities: [ownIdentity(sim, principalName)],
        showInAddressList: false,
    };
}

function createGuest(sim, ctx, body) {
    const action = ctx.action || {};
    if (action.ghost) {
        const id = sim.ids.guid('user');
        sim.ledger.ghost(body.invitedUserEmailAddress, id);
        return { props: { id, externalUserState: 'PendingAcceptance' } };
    }
    if (sim.settings.objectQuota !== null && sim.store.users.size >= sim.settings.objectQuota)
        throw new GraphError(403, 'Directory_QuotaExceeded', 'The directory object quota limit for the Tenant has '
            + 'been exceeded.');
    const guest = sim.store.addUser(guestProperties(sim, body), { ...sim.settings.replication, ...action.replication });
    sim.ledger.guestCreated(body.invitedUserEmailAddress, guest.props.id);
    return guest;
}

/** An app cannot reset whoever holds one (contract 2.1). */
function hasDirectoryRole(sim, id) {
    const user = typeof id === 'string' && sim.store.users.withId(id);
    return Boolean(user && user.hasDirectoryRole);
}

/** Same object, new invitation; the address must be one of the user's (contract 2.6). */
function resetGuest(sim, ctx, body) {
    const id = body.invitedUser && body.invitedUser.id;
    if (!hasAny(ctx, WRITE) || hasDirectoryRole(sim, id))
        throw forbidden('Generic authorization exception.');
    if (typeof id !== 'string')
        throw badRequest('A value is required for property \'invitedUser\' to reset the redemption status.');
    const user = sim.store.users.withId(id);
    if (!user)
        throw new GraphError(404, 'Request_ResourceNotFound', `Resource '${id}' does not exist.`);
    if (!isExternal(user))
        throw badRequest('The redemption status of an internal user can\'t be reset.');
    const address = fold(body.invitedUserEmailAddress);
    if (![user.props.mail, ...user.props.otherMails].some((own) => own && fold(own) === address))
        throw badRequest('The email you\'re using to invite this user doesn\'t match any emails on the user object.');
    sim.store.changeUser(user, {
        externalUserState: 'PendingAcceptance',
        externalUserStateChangeDateTime: sim.clock.graphTime(),
        identities: [ownIdentity(sim, user.props.userPrincipalName)],
    }, sim.settings.replication.staleMs);
    return user;
}

class Invitation {
    constructor(sim, guest, body) {
        Object.assign(this, {
            id: sim.ids.guid('invitation'), ticket: sim.ids.opaque('ticket'), guest, tenantId: sim.tenant.id,
            loginUrl: sim.urls.login, address: body.invitedUserEmailAddress,
            redirectUrl: normalizedUrl(body.inviteRedirectUrl),
        });
    }

    /** The inner part is percent-encoded several times over, with lower case hex digits (contract 2.5). */
    get url() {
        return `${this.loginUrl}/redeem?rd=https%3a%2f%2finvitations.microsoft.com%2fredeem%2f%3f`
            + `tenant%3d${this.tenantId}%26user%3d${this.id}%26ticket%3d${this.ticket}%25253d%26ver%3d2.0`;
    }
}

/** No mail for a guest who has accepted; an app's mail goes without the custom body, a person's with it (contract 2.3,
 * 2.6). */
function sendMail(sim, ctx, invitation, guest, info) {
    if (guest.props.externalUserState !== 'PendingAcceptance')
        return;
    const cc = info.ccRecipients.map((entry) => entry.emailAddress.address).filter((address) => address !== null);
    sim.ledger.mailed({
        n: ctx.record.n, time: sim.ledger.time(), to: invitation.address, cc, language: info.messageLanguage,
        body: ctx.token.person ? info.customizedMessageBody : null, clientRequestId: ctx.record.clientRequestId,
        guestId: guest.props.id,
    });
}

function answerBody(sim, body, invitation, info) {
    const isAccepted = invitation.guest.props.externalUserState !== 'PendingAcceptance';
    return {
        '@odata.context': `${sim.urls.graph}/v1.0/$metadata#invitations/$entity`,
        'id': invitation.id,
        'inviteRedeemUrl': invitation.url,
        'invitedUserDisplayName': body.invitedUserDisplayName || null,
        'invitedUserType': body.invitedUserType || 'Guest',
        'invitedUserEmailAddress': body.invitedUserEmailAddress,
        'sendInvitationMessage': body.sendInvitationMessage === true,
        'resetRedemption': body.resetRedemption === true,
        'inviteRedirectUrl': invitation.redirectUrl,
        'status': isAccepted ? sim.settings.acceptedStatus : 'PendingAcceptance',
        'invitedUserMessageInfo': info,
        'invitedUser': { id: invitation.guest.props.id },
    };
}

function create(sim, ctx) {
    const body = ctx.jsonObject();
    checkPolicy(sim, ctx);
    checkBody(body);
    let guest;
    let sponsored = [];
    if (body.resetRedemption) {
        guest = resetGuest(sim, ctx, body);
    } else {
        checkDomain(sim, body.invitedUserEmailAddress);
        sponsored = sponsors.invited(sim, body);
        guest = existingGuest(sim, body.invitedUserEmailAddress) || createGuest(sim, ctx, body);
    }
    sponsors.assign(guest, sponsored);
    const invitation = new Invitation(sim, guest, body);
    const info = readMessageInfo(body);
    sim.store.addInvitation(invitation);
    if (body.sendInvitationMessage)
        sendMail(sim, ctx, invitation, guest, info);
    ctx.effect();
    Object.assign(ctx.post, { guestId: guest.props.id, invitation, ignored: ignoredMembers(body) });
    return json(201, answerBody(sim, body, invitation, info));
}

/** Only create exists (contract 2.2): anything else meets a page of the web server in front. */
function refuse() {
    return htmlPage(404, '404 - File or directory not found.');
}

module.exports = { create, refuse };
