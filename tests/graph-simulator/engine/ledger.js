'use strict';
// What happened: every request, every connection, and per address the guests, POSTs, mails and redemptions.

const { EventEmitter } = require('events');
const { fold } = require('./address');

const KEPT_REQUESTS = 200000;

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
        this.reset();
    }

    reset() {
        this.addresses = new Map();
        this.requests = [];
        this.holdUntil = 0;
        for (const connection of this.connections.values()) {
            if (connection.closedAt)
                this.connections.delete(connection.id);
        }
        this.counters = {
            requests: 0, byTemplate: {}, byStatus: {}, tokensIssued: 0, guestsCreated: 0, mails: 0,
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
        return connection;
    }

    connectionClosed(connection) {
        connection.closedAt = this.time();
        this.emit('change');
    }

    /** A request has arrived. Members set later: address, mail, status, effect, fault, answered, held. */
    arrived(request) {
        const record = {
            n: ++this.lastRequest, time: this.time(), ...request,
            status: null, requestId: null, address: null, mail: null,
            duringHold: request.isGraph && this.clock.now() < this.holdUntil,
            fault: null, effect: false, answered: null, held: false,
        };
        delete record.isGraph;
        this.requests.push(record);
        if (this.requests.length > KEPT_REQUESTS)
            this.requests.splice(0, KEPT_REQUESTS / 10);
        const counters = this.counters;
        counters.requests++;
        // A request inside a batch is none that the connection knows of.
        if (record.batch === null)
            this.open.add(record);
        else
            counters.batched++;
        counters.byTemplate[`${record.method} ${record.template}`] =
            (counters.byTemplate[`${record.method} ${record.template}`] || 0) + 1;
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
            resetRedemption: body.resetRedemption === true, guestId: null, inviteRedeemUrl: null, ignored: [], body,
        };
        this.entry(address).posts.push(post);
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
        this.entry(mail.to).mails.push(mail);
        this.counters.mails++;
    }

    redeemed(address, redemption) {
        this.entry(address).redemptions.push(redemption);
        this.counters.redemptions++;
        this.emit('change');
    }

    showPost(post) {
        const { record, ...own } = post;
        return {
            n: record.n, time: record.time, clientRequestId: record.clientRequestId, ...own, status: record.status,
            effect: record.effect, answered: record.answered, httpVersion: record.httpVersion,
            connection: record.connection, connectionRequest: record.connectionRequest,
            batch: record.batch, inner: record.inner,
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
