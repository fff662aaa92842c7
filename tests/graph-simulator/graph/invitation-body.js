'use strict';
// What the body of POST /invitations may hold (contract 2.2 to 2.4).

const { GraphError } = require('./answers');

const FORBIDDEN_CHARACTERS = /[~!#$%^&*()+=[\]{}\\/|;:"<>?,]/;
const MESSAGE_MEMBERS = ['customizedMessageBody', 'messageLanguage', 'ccRecipients'];
const READ_ONLY = ['id', 'inviteRedeemUrl', 'status'];
const MAX_SPONSORS = 5;

const TYPES = {
    'invitedUserEmailAddress': 'string',
    'inviteRedirectUrl': 'string',
    'invitedUserDisplayName': 'string',
    'invitedUserType': 'string',
    'sendInvitationMessage': 'boolean',
    'resetRedemption': 'boolean',
    'invitedUserMessageInfo': 'object',
    'invitedUser': 'object',
    'invitedUserSponsors': 'object',
    'invitedUserSponsors@odata.bind': 'object',
    'id': 'string',
    'inviteRedeemUrl': 'string',
    'status': 'string',
    '@odata.type': 'string',
};

function badRequest(message) {
    return new GraphError(400, 'BadRequest', message);
}

function invalidAddress() {
    return badRequest('The Primary SMTP Address is an invalid value.');
}

/** Contract 2.4. A "+" is refused although it is legal elsewhere. */
function checkAddress(address) {
    const parts = address.split('@');
    if (parts.length !== 2 || FORBIDDEN_CHARACTERS.test(address) || !/^[\x21-\x7e]+$/.test(address))
        throw invalidAddress();
    const [local, domain] = parts;
    const labels = domain.split('.');
    if (local === '' || /^[.-]|[.-]$/.test(local) || local.includes('..') || labels.length < 2
        || !labels.every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label)))
        throw invalidAddress();
}

function checkTypes(body) {
    for (const [name, value] of Object.entries(body)) {
        if (!Object.prototype.hasOwnProperty.call(TYPES, name))
            throw badRequest(`The property '${name}' does not exist on type 'microsoft.graph.invitation'. `
                + 'Make sure to only use property names that are defined by the type.');
        const isRequired = ['invitedUserEmailAddress', 'inviteRedirectUrl'].includes(name);
        if (value === null ? isRequired : typeof value !== TYPES[name])
            throw badRequest(`Cannot convert the value of property '${name}' to its type.`);
    }
}

function checkRedirectUrl(text) {
    let url;
    try {
        url = new URL(text);
    } catch (error) {
        throw badRequest('The property inviteRedirectUrl is not a valid absolute URL.');
    }
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
        throw badRequest('The property inviteRedirectUrl is not a valid absolute URL.');
}

/** Throws for what the service refuses before it looks into the directory. */
function checkBody(body) {
    checkTypes(body);
    for (const name of ['invitedUserEmailAddress', 'inviteRedirectUrl']) {
        if (typeof body[name] !== 'string' || body[name] === '')
            throw badRequest(`A value is required for property '${name}' of resource 'Invitation'.`);
    }
    checkAddress(body.invitedUserEmailAddress);
    checkRedirectUrl(body.inviteRedirectUrl);
    if (body.invitedUserType && !['Guest', 'Member'].includes(body.invitedUserType))
        throw badRequest("Invalid value specified for property 'invitedUserType' of resource 'Invitation'.");
    if (body.invitedUser && Object.keys(body.invitedUser).some((name) => name !== 'id'))
        throw badRequest('Only the id of invitedUser can be given.');
    const sponsors = body['invitedUserSponsors@odata.bind'] || body.invitedUserSponsors || [];
    if (!Array.isArray(sponsors) || sponsors.length > MAX_SPONSORS)
        throw badRequest(`At most ${MAX_SPONSORS} sponsors can be assigned.`);
    const recipients = body.invitedUserMessageInfo && body.invitedUserMessageInfo.ccRecipients;
    if (Array.isArray(recipients) && recipients.length > 1)
        throw badRequest('Only one recipient is supported in ccRecipients.');
}

function textOrNull(value) {
    return typeof value === 'string' ? value : null;
}

function readRecipient(entry) {
    const address = entry && typeof entry === 'object' && entry.emailAddress;
    if (!address || typeof address !== 'object')
        return { emailAddress: { name: null, address: null } };
    return { emailAddress: { name: textOrNull(address.name), address: textOrNull(address.address) } };
}

/** As the answer shows it: always all members, null where nothing usable was sent (contract 2.5). */
function readMessageInfo(body) {
    const info = body.invitedUserMessageInfo || {};
    const recipients = Array.isArray(info.ccRecipients) && info.ccRecipients.length ? info.ccRecipients : [null];
    return {
        messageLanguage: textOrNull(info.messageLanguage),
        customizedMessageBody: textOrNull(info.customizedMessageBody),
        ccRecipients: recipients.map(readRecipient),
    };
}

/** Members that the service takes without a word and does not use (contract 8: a wrong shape is ignored). */
function ignoredMembers(body) {
    const ignored = READ_ONLY.filter((name) => body[name] !== undefined && body[name] !== null);
    const info = body.invitedUserMessageInfo || {};
    for (const [name, value] of Object.entries(info)) {
        if (value === null || name === '@odata.type')
            continue;
        if (!MESSAGE_MEMBERS.includes(name) || (name !== 'ccRecipients' && typeof value !== 'string'))
            ignored.push(`invitedUserMessageInfo.${name}`);
    }
    const recipients = info.ccRecipients === undefined || info.ccRecipients === null ? [] : info.ccRecipients;
    const isUsable = Array.isArray(recipients)
        && recipients.every((entry) => readRecipient(entry).emailAddress.address !== null);
    if (!isUsable)
        ignored.push('invitedUserMessageInfo.ccRecipients');
    if (body.invitedUser && !body.resetRedemption)
        ignored.push('invitedUser');
    return ignored;
}

/** "https://host" comes back as "https://host/" (contract 2.2). */
function normalizedUrl(text) {
    return /^https?:\/\/[^/?#]+$/i.test(text) ? `${text}/` : text;
}

module.exports = { checkBody, readMessageInfo, ignoredMembers, normalizedUrl, badRequest };
