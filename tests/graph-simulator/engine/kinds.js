'use strict';
// The control verb `user`: objects of every kind, and changes to them.

const { isProperty } = require('../graph/properties');

const NEW_KEYS = ['kind', 'address', 'set', 'absent', 'enabled', 'deleted'];
const CHANGE_KEYS = ['find', 'set', 'absent', 'enabled', 'state', 'delete', 'restore', 'staleMs',
    'directoryRole'];

// What sets a kind apart: userType, creationType, externalUserState, and whether its UPN is a guest's.
const KINDS = {
    'member': { userType: 'Member', creationType: null, state: null, external: false },
    'pending': { userType: 'Guest', creationType: 'Invitation', state: 'PendingAcceptance', external: true },
    'accepted': { userType: 'Guest', creationType: 'Invitation', state: 'Accepted', external: true },
    'self-service': { userType: 'Guest', creationType: 'SelfServiceSignUp', state: null, external: true },
    'email-verified': { userType: 'Member', creationType: 'EmailVerified', state: null, external: true },
    'external-member': { userType: 'Member', creationType: null, state: null, external: true },
    'internal-guest': { userType: 'Guest', creationType: null, state: null, external: false },
};

function refuseUnknownKeys(verb, request, allowed) {
    for (const key of Object.keys(request)) {
        if (!allowed.includes(key))
            throw new Error(`${verb}: unknown member '${key}'; there are: ${allowed.join(', ')}`);
    }
    for (const name of [...Object.keys(request.set || {}), ...(request.absent || [])]) {
        if (!isProperty(name))
            throw new Error(`${verb}: no property '${name}'`);
    }
}

function principalName(sim, address, isExternal) {
    return isExternal ? `${address.replace('@', '_')}#EXT#@${sim.tenant.initialDomain}`
        : `${address.split('@')[0]}@${sim.tenant.initialDomain}`;
}

function identitiesOf(sim, kind, name, address) {
    const identities = [{ signInType: 'userPrincipalName', issuer: sim.tenant.initialDomain, issuerAssignedId: name }];
    if (kind.external && kind.state !== 'PendingAcceptance')
        identities.push({ signInType: 'federated', issuer: 'mail', issuerAssignedId: address });
    return identities;
}

function newProperties(sim, kind, address, id) {
    const now = sim.clock.graphTime();
    const name = principalName(sim, address, kind.external);
    return {
        id: id || sim.ids.guid('user'),
        displayName: address.split('@')[0],
        mail: address,
        userPrincipalName: name,
        userType: kind.userType,
        accountEnabled: true,
        creationType: kind.creationType,
        createdDateTime: now,
        externalUserState: kind.state,
        externalUserStateChangeDateTime: kind.state === null ? null : now,
        otherMails: kind.external ? [address] : [],
        proxyAddresses: [`SMTP:${address}`],
        identities: identitiesOf(sim, kind, name, address),
        showInAddressList: !kind.external,
    };
}

function requireAddress(request) {
    if (typeof request.address !== 'string' || !request.address.includes('@'))
        throw new Error('user: "address" is missing');
}

function addOther(sim, request) {
    const object = {
        kind: request.kind,
        props: { id: sim.ids.guid(request.kind), mail: request.address, displayName: request.address.split('@')[0] },
    };
    sim.store.others.add(object);
    return { kind: request.kind, ...object.props };
}

/** A user of a kind, without a check of the request. */
function newUser(sim, { kind, address, id, set, absent, enabled }) {
    const props = { ...newProperties(sim, KINDS[kind], address, id), ...set };
    if (enabled !== undefined)
        props.accountEnabled = enabled;
    const user = sim.store.addUser(props);
    if (absent)
        user.absent = new Set(absent);
    return user;
}

function addUser(sim, request) {
    refuseUnknownKeys('user', request, NEW_KEYS);
    requireAddress(request);
    if (request.kind === 'group' || request.kind === 'contact')
        return addOther(sim, request);
    if (!Object.prototype.hasOwnProperty.call(KINDS, request.kind))
        throw new Error(`user: no kind '${request.kind}'; there are: ${Object.keys(KINDS).join(', ')}, group, contact`);
    if (request.set && request.set.id !== undefined && sim.store.users.withId(request.set.id))
        throw new Error(`user: there is a user with the id ${request.set.id}`);
    const user = newUser(sim, request);
    if (request.deleted)
        sim.store.deleteUser(user);
    return describe(sim, user);
}

/** Users by id, UPN or address, deleted ones included. */
function findUsers(sim, key) {
    const found = new Set();
    for (const collection of [sim.store.users, sim.store.deleted]) {
        for (const field of ['id', 'userPrincipalName', 'address'])
            collection.find(field, key).forEach((user) => found.add(user));
    }
    return [...found];
}

function isDeleted(sim, user) {
    return sim.store.deleted.withId(user.props.id) !== null;
}

function changeUser(sim, user, request) {
    const changes = { ...request.set };
    if (request.enabled !== undefined)
        changes.accountEnabled = request.enabled;
    if (request.state !== undefined) {
        changes.externalUserState = request.state;
        changes.externalUserStateChangeDateTime = sim.clock.graphTime();
    }
    if (isDeleted(sim, user))
        sim.store.deleted.change(user, changes);
    else
        sim.store.changeUser(user, changes, request.staleMs);
    if (request.absent)
        user.absent = new Set(request.absent);
    if (request.directoryRole !== undefined)
        user.hasDirectoryRole = request.directoryRole === true;
    if (request.delete && !isDeleted(sim, user))
        sim.store.deleteUser(user);
    if (request.delete === 'hard')
        sim.store.purgeUser(user);
    if (request.restore && isDeleted(sim, user))
        sim.store.restoreUser(user);
}

function changeUsers(sim, request) {
    refuseUnknownKeys('user', request, CHANGE_KEYS);
    const users = findUsers(sim, request.find);
    if (users.length === 0)
        throw new Error(`user: nobody is found by '${request.find}'`);
    if (request.delete !== undefined && !['soft', 'hard'].includes(request.delete))
        throw new Error('user: "delete" is "soft" or "hard"');
    if (request.set && request.set.id !== undefined)
        throw new Error('user: the id of a user can\'t be changed');
    users.forEach((user) => changeUser(sim, user, request));
    return users.map((user) => describe(sim, user));
}

/** What `show` and the ledger tell of a user: the truth, whatever replication hides. */
function describe(sim, user) {
    const sponsors = (user.sponsors || []).map((one) => one.props.id);
    return { ...user.props, deleted: isDeleted(sim, user), ...(sponsors.length ? { sponsors } : {}) };
}

function showObjects(sim, key) {
    const others = sim.store.others.find('address', key);
    return [
        ...findUsers(sim, key).map((user) => describe(sim, user)),
        ...others.map((object) => ({ kind: object.kind, ...object.props })),
    ];
}

function applyUser(sim, request) {
    if (request === null || typeof request !== 'object')
        throw new Error('user: needs an object with "kind" or "find"');
    return request.find !== undefined ? changeUsers(sim, request) : addUser(sim, request);
}

module.exports = { KINDS, applyUser, newUser, refuseUnknownKeys, showObjects };
