'use strict';
// The directory: users, deleted users, groups and contacts, with indices so that no look-up by id or
// address walks over all of them.

const { fold } = require('./address');
const { Changes } = require('./changes');

const DELETED_LIFE_MS = 30 * 24 * 3600 * 1000;

/** The values of an object by which a filter may find it, as [field, value] pairs. */
function* indexedValues(props) {
    for (const field of ['id', 'mail', 'userPrincipalName']) {
        if (props[field])
            yield [field, fold(props[field])];
    }
    for (const value of props.otherMails || [])
        yield ['otherMails', fold(value)];
    for (const value of props.proxyAddresses || [])
        yield ['proxyAddresses', fold(value)];
    for (const identity of props.identities || []) {
        if (identity.issuerAssignedId)
            yield ['identities', fold(identity.issuerAssignedId)];
    }
}

/** The addresses by which the invitation service knows an object, folded. */
function addressesOf(props) {
    const found = new Set();
    for (const [field, value] of indexedValues(props)) {
        if (field === 'proxyAddresses')
            found.add(value.replace(/^smtp:/, ''));
        else if (field !== 'id' && field !== 'identities')
            found.add(value);
    }
    return found;
}

/**
 * Objects in the order of their creation, with an index of every searchable value. An index entry is the
 * object itself, or a Set where several share the value: among many users nearly none do.
 */
class Collection {
    constructor() {
        this.byId = new Map();
        this.order = [];
        this.index = new Map();
    }

    get size() {
        return this.byId.size;
    }

    keysOf(object) {
        const keys = [];
        for (const [field, value] of indexedValues(object.props))
            keys.push(`${field}\0${value}`);
        for (const address of addressesOf(object.props))
            keys.push(`address\0${address}`);
        return keys;
    }

    link(object) {
        for (const key of this.keysOf(object)) {
            const entry = this.index.get(key);
            if (entry instanceof Set)
                entry.add(object);
            else
                this.index.set(key, entry ? new Set([entry, object]) : object);
        }
    }

    unlink(object) {
        for (const key of this.keysOf(object)) {
            const entry = this.index.get(key);
            if (entry === object || (entry instanceof Set && entry.delete(object) && entry.size === 0))
                this.index.delete(key);
        }
    }

    add(object) {
        this.byId.set(object.props.id, object);
        object.position = this.order.push(object) - 1;
        this.link(object);
    }

    remove(object) {
        this.unlink(object);
        this.byId.delete(object.props.id);
        this.order[object.position] = null;
    }

    change(object, changes) {
        this.unlink(object);
        Object.assign(object.props, changes);
        this.link(object);
    }

    /** The objects whose field has this value, case folded; field "address" is any address. */
    find(field, value) {
        const entry = this.index.get(`${field}\0${fold(value)}`);
        if (entry === undefined)
            return [];
        return entry instanceof Set ? [...entry] : [entry];
    }
}

class Store {
    constructor(clock) {
        this.clock = clock;
        this.reset();
    }

    reset() {
        this.users = new Collection();
        this.deleted = new Collection();
        this.others = new Collection();
        this.changes = new Changes(this.clock);
        this.invitations = new Map();
        this.invitationsByAddress = new Map();
    }

    /** replication: when the user shows by id and in filters, in ms from now. */
    addUser(props, replication = { byIdMs: 0, filterMs: 0 }) {
        const now = this.clock.now();
        const user = {
            props,
            visibleAt: now + replication.byIdMs,
            filterAt: now + replication.filterMs,
            stale: null,
            absent: new Set(),
        };
        this.users.add(user);
        this.changes.appeared(user);
        return user;
    }

    changeUser(user, changes, staleMs = 0) {
        if (staleMs > 0) {
            const old = {};
            for (const key of Object.keys(changes))
                old[key] = user.props[key];
            const earlier = user.stale && user.stale.until > this.clock.now() ? user.stale.values : {};
            user.stale = { until: this.clock.now() + staleMs, values: { ...old, ...earlier } };
        }
        this.changes.changed(user, changes);
        this.users.change(user, changes);
    }

    /** A copy of what a reader is shown at this moment. */
    view(object) {
        const stale = object.stale && object.stale.until > this.clock.now() ? object.stale.values : {};
        return { ...object.props, ...stale };
    }

    /** By object id or UPN, as in a URL; null if there is none or it is not replicated yet. */
    readable(key) {
        const user = this.users.byId.get(fold(key)) || this.users.find('userPrincipalName', key)[0];
        return user && user.visibleAt <= this.clock.now() ? user : null;
    }

    deleteUser(user) {
        this.users.remove(user);
        user.props.deletedDateTime = this.clock.graphTime();
        user.purgeAt = this.clock.now() + DELETED_LIFE_MS;
        this.deleted.add(user);
        this.changes.removed(user, 'changed');
    }

    restoreUser(user) {
        this.deleted.remove(user);
        user.props.deletedDateTime = null;
        this.users.add(user);
        this.changes.appeared(user);
    }

    /** Ends a deleted user for good. */
    purgeUser(user) {
        this.deleted.remove(user);
        this.changes.removed(user, 'deleted');
    }

    /** Deleted users end after 30 days of the simulator's clock. */
    purgeExpired() {
        for (const user of [...this.deleted.byId.values()]) {
            if (user.purgeAt <= this.clock.now())
                this.purgeUser(user);
        }
    }

    addInvitation(invitation) {
        this.invitations.set(invitation.ticket, invitation);
        this.invitationsByAddress.set(fold(invitation.address), invitation);
    }
}

module.exports = { Store, addressesOf };
