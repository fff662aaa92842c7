'use strict';
// The directory: users, deleted users, mail groups and contacts, groups with members, and the invitations that were made.

const { fold } = require('./address');
const { Changes } = require('./changes');
const { Collection } = require('./collection');

const TICKETS_PER_GUEST = 1000;
const DELETED_LIFE_MS = 30 * 24 * 3600 * 1000;

// Most users have no member that is never shown: one set serves them all.
const NOTHING = Object.freeze(new Set());

class Store {
    constructor(clock) {
        this.clock = clock;
        this.reset();
    }

    reset() {
        this.users = new Collection();
        this.deleted = new Collection();
        this.others = new Collection();
        this.groups = new Collection();
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
            absent: NOTHING,
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

    /** By object id or UPN, whether it shows or not. */
    user(key) {
        return this.users.withId(key) || this.users.find('userPrincipalName', key)[0] || null;
    }

    /** By object id or UPN, as in a URL; null if there is none or it is not replicated yet. */
    readable(key) {
        const user = this.user(key);
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

    /** A link never expires, but of the links to one guest so many are enough. */
    addInvitation(invitation) {
        const { guest, ticket } = invitation;
        this.invitations.set(ticket, invitation);
        this.invitationsByAddress.set(fold(invitation.address), invitation);
        guest.tickets = guest.tickets || [];
        if (guest.tickets.push(ticket) > TICKETS_PER_GUEST)
            this.invitations.delete(guest.tickets.shift());
    }
}

module.exports = { Store };
