'use strict';
// What happened: every request, every connection, and per address the guests, POSTs, mails and redemptions.

const { EventEmitter } = require('events');
const { fold } = require('./address');
const { Kept } = require('./kept');

// What happened to an address is worth more to a test than how a request looked.
const KEPT_REQUESTS = 100000;
const KEPT_OF_ADDRESSES = 200000;
const KEPT_CONNECTIONS = 100000;

function emptyEntry() {
    return { guests: [], ghosts: [], posts: [], mails: [], redemptions: [] };
}

class Ledger extends EventEmitter {
    constructor(clock) {
        super();
        this.setMaxListeners(0);
        this.clock = clock;
        this.connections = new Map();
        this.holdUntil = 0;
        this.open = new Set();
        this.lastRequest = 0;
        this.requests = [];
        // Guests are not bounded: they are the directory's, which keeps them anyway.
        this.kept = {
            requests: new Kept(KEPT_REQUESTS), posts: new Kept(KEPT_OF_ADDRESSES),
            mails: new Kept(KEPT_OF_ADDRESSES), redemptions: new Kept(KEPT_OF_ADDRESSES),
        };
        this.reset();
    }

    reset() {
        this.addresses = new Map();
        this.requests = [];
        Object.values(this.kept).forEach((kept) => kept.clear());
        this.holdUntil = 0;
        for (const connection of this.connections.values()) {
            if (connection.closedAt)
                this.connections.delete(connection.id);
        }
        this.counters = {
            requests: 0, byTemplate: {}, byStatus: {}, tokensIssued: 0, refreshTokensIssued: 0, guestsCreated: 0, mails: 0,
            redemptions: 0, maxConcurrency: this.open.size, duringHold: 0, connections: 0, batched: 0,
        };
    }

    time() {
        return new Date(this.clock.now()).toISOString();
    }

    connectionOpened(id, alpn) {
        const connection = { id, alpn, requests: 0, openedAt: this.time(), closedAt: null };
        this.connections.set(id, connection);
        this.counters.connections++;
        if (this.connections.size > KEPT_CONNECTIONS)
            this.forgetConnections();
        return connection;
    }

    /** The oldest ones that are closed. */
    forgetConnections() {
        let left = KEPT_CONNECTIONS / 10;
        for (const { id, closedAt } of this.connections.values()) {
            if (closedAt)
                this.connections.delete(id);
            if (--left === 0)
                break;
        }
    }

    connectionClosed(connection) {
        connection.closedAt = this.time();
        this.emit('change');
    }

    /** A request has arrived. What it is about and what becomes of it is filled in later. */
    arrived(record) {
        record.n = ++this.lastRequest;
        record.at = this.clock.now();
        record.duringHold = record.isGraph && record.at < this.holdUntil;
        this.kept.requests.push(this.requests, record);
        const { counters } = this;
        counters.requests++;
        // A request inside a batch is none that the connection knows of.
        if (record.batch === null)
            this.open.add(record);
        else
            counters.batched++;
        const name = `${record.method} ${record.template}`;
        counters.byTemplate[name] = (counters.byTemplate[name] || 0) + 1;
        counters.maxConcurrency = Math.max(counters.maxConcurrency, this.open.size);
        if (record.duringHold)
            counters.duringHold++;
        return record;
    }

    /** The body was read, so address and the like are known: only now may a waiter see the request. */
    understood() {
        this.emit('change');
    }

    closed(record, answered) {
        if (record.answered !== null)
            return;
        record.answered = answered;
        this.open.delete(record);
        if (record.status !== null && answered !== 'no')
            this.counters.byStatus[record.status] = (this.counters.byStatus[record.status] || 0) + 1;
        this.emit('change');
    }

    throttledFor(seconds) {
        if (Number.isFinite(seconds) && seconds > 0)
            this.holdUntil = Math.max(this.holdUntil, this.clock.now() + seconds * 1000);
    }

    entry(address) {
        const key = fold(address);
        let entry = this.addresses.get(key);
        if (!entry) {
            entry = emptyEntry();
            this.addresses.set(key, entry);
        }
        return entry;
    }

    post(record, address, body) {
        const post = {
            record, sendInvitationMessage: body.sendInvitationMessage === true,
            resetRedemption: body.resetRedemption === true, guestId: null, invitation: null, ignored: [], body,
        };
        this.kept.posts.push(this.entry(address).posts, post);
        return post;
    }

    guestCreated(address, id) {
        this.entry(address).guests.push(id);
        this.counters.guestsCreated++;
    }

    ghost(address, id) {
        this.entry(address).ghosts.push(id);
    }

    mailed(mail) {
        this.kept.mails.push(this.entry(mail.to).mails, mail);
        this.counters.mails++;
    }

    redeemed(address, redemption) {
        this.kept.redemptions.push(this.entry(address).redemptions, redemption);
        this.counters.redemptions++;
        this.emit('change');
    }

    showPost({ record, guestId, invitation, ...sent }) {
        const { n, time, clientRequestId, status, effect, answered } = record;
        const { httpVersion, connection, connectionRequest, batch, inner } = record;
        return {
            n, time, clientRequestId, status, effect, answered, httpVersion, connection, connectionRequest, batch,
            inner, guestId, inviteRedeemUrl: invitation ? invitation.url : null, ...sent,
        };
    }

    showEntry(address) {
        const entry = this.addresses.get(fold(address)) || emptyEntry();
        return { ...entry, posts: entry.posts.map((post) => this.showPost(post)) };
    }

    showCounters() {
        return { ...this.counters, inProgress: this.open.size };
    }

    showAll() {
        const addresses = {};
        for (const address of this.addresses.keys())
            addresses[address] = this.showEntry(address);
        return {
            addresses, requests: this.requests, connections: [...this.connections.values()],
            counters: this.showCounters(),
        };
    }

    mails(address) {
        const addresses = address === undefined ? [...this.addresses.keys()] : [address];
        return addresses.flatMap((key) => this.showEntry(key).mails).sort((a, b) => a.n - b.n);
    }
}

module.exports = { Ledger };
