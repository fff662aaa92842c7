'use strict';
// The one object that holds a simulated tenant: directory, tokens, settings, faults, ledger.

const { Clock } = require('./clock');
const { Faults } = require('./faults');
const { Ids, seededRandom } = require('./ids');
const { applyUser } = require('./kinds');
const { Ledger } = require('./ledger');
const { Log } = require('./log');
const { Settings } = require('./settings');
const { Store } = require('./store');
const { Throttle } = require('./throttle');
const { Cursors } = require('../graph/listing');
const { Sessions } = require('../login/sessions');
const { Tokens } = require('../login/tokens');

const PARTS = ['all', 'ledger', 'faults', 'users', 'tokens', 'settings'];

class Simulator {
    /** options: {initialDomain, tenantId, clientId, seed, settings, users, logFile} */
    constructor(options) {
        this.options = options;
        this.tenant = { id: options.tenantId, initialDomain: options.initialDomain };
        this.clientId = options.clientId;
        this.clock = new Clock();
        this.ids = new Ids(options.seed);
        this.random = seededRandom(`${options.seed}/order`);
        this.settings = new Settings(options.initialDomain, options.settings);
        this.store = new Store(this.clock);
        this.ledger = new Ledger(this.clock);
        this.faults = new Faults(options.seed);
        this.cursors = new Cursors(this.ids);
        this.deltaTokens = new Cursors(this.ids);
        this.tokens = new Tokens(this);
        this.sessions = new Sessions(this);
        this.throttle = new Throttle(this);
        this.assertions = new Set();
        this.arcKeys = new Map();
        this.urls = { login: '', graph: '', identity: '' };
        this.resources = [];
        this.log = new Log(options.logFile);
        this.addStartUsers();
    }

    addStartUsers() {
        for (const user of this.options.users)
            applyUser(this, user);
    }

    /** The items in an order that is a function of the seed and of how often this was asked. */
    shuffled(items) {
        const order = [...items];
        for (let i = order.length - 1; i > 0; i--) {
            const j = Math.floor(this.random() * (i + 1));
            [order[i], order[j]] = [order[j], order[i]];
        }
        return order;
    }

    /** Where it can be reached, known once it listens. */
    setPort(port) {
        Object.assign(this.urls, { login: `https://localhost:${port}`, graph: `https://localhost:${port}` });
        this.resources = ['localhost', '127.0.0.1', '[::1]'].map((host) => `https://${host}:${port}`);
    }

    setIdentityPort(port) {
        this.urls.identity = `http://127.0.0.1:${port}/metadata/identity/oauth2/token`;
    }

    /** A request is over: into the ledger and, without anything secret, into the log. */
    finished(record, answered) {
        if (record.answered !== null)
            return;
        this.ledger.closed(record, answered);
        const id = /^[\w.-]{1,64}$/.test(record.clientRequestId || '') ? record.clientRequestId : '-';
        this.log.write(`${record.time} ${record.method} ${record.template} ${record.status || '-'} ${id} `
            + `http=${record.httpVersion} connection=${record.connection} answered=${answered}`
            + `${record.batch === null ? '' : ` batch=${record.batch}`}`
            + `${record.fault === null ? '' : ` fault=${record.fault}`}\n`);
    }

    resetUsers() {
        this.store.reset();
        this.cursors.reset();
        this.deltaTokens.reset();
        this.addStartUsers();
    }

    reset(part) {
        if (!PARTS.includes(part))
            throw new Error(`no part '${part}' to reset; there are: ${PARTS.join(', ')}`);
        const isMeant = (name) => part === 'all' || part === name;
        if (part === 'all') {
            this.clock.reset();
            this.ids.reset();
            this.random = seededRandom(`${this.options.seed}/order`);
        }
        if (isMeant('faults'))
            this.faults.clear('dropped');
        if (isMeant('settings'))
            this.settings.reset();
        if (isMeant('tokens')) {
            this.tokens.reset();
            this.sessions.reset();
            this.assertions.clear();
            this.arcKeys.clear();
        }
        if (isMeant('users'))
            this.resetUsers();
        if (isMeant('ledger'))
            this.ledger.reset();
    }
}

module.exports = { Simulator };
