'use strict';
// Each fault of the proxy once, where it matters, and what must become of it (X13). Accounts side by side, each with a
// fault of its own: one-by-one.js [EVERY [SEED]] cuts answers off behind every EVERYth byte only, from one on that the
// seed chooses.

const { Host, addressOf } = require('./host');
const { ledgerProblems } = require('./invariants');
const { Coverage } = require('./transitions');
const { isSettled } = require('./settled');

// What is not to end by a timeout does not, on a busy machine either.
const TIMEOUT_MS = 2500;
const PATIENT_MS = 60000;
const LATE = TIMEOUT_MS + 500;
const LOOK = { method: 'GET', path: '^/v1.0/users\\?' };
const CREATE = { method: 'POST', path: '^/v1.0/invitations', also: '"sendInvitationMessage":false' };
const MAIL = { method: 'POST', path: '^/v1.0/invitations', also: '"sendInvitationMessage":true' };

// What is done to the mail's request, and what of the mail is known then, and true: [action, how, mail, mails].
const AT_THE_MAIL = [
    ['drop-before', { end: 'reset' }, 'unknown', 0], ['drop-before', { end: 'fin' }, 'unknown', 0],
    ['drop-before', { end: 'close' }, 'unknown', 0], ['drop-after', { end: 'reset' }, 'unknown', 1],
    ['drop-after', { end: 'fin' }, 'unknown', 1], ['drop-after', { end: 'close' }, 'unknown', 1],
    ['delay-before', { ms: LATE }, 'unknown', 0], ['delay-before', { ms: 50 }, 'sent', 1],
    ['delay-after', { ms: LATE }, 'unknown', 1], ['delay-after', { ms: 50 }, 'sent', 1],
    ['record-cut', { after: 0, end: 'reset' }, 'unknown', 1], ['record-cut', { after: 400, end: 'fin' }, 'unknown', 1],
    ['answer-twice', {}, 'sent', 1], ['interim-after', {}, 'sent', 1],
    ['slow', { bytes: 100, everyMs: 5 }, 'sent', 1], ['slow', { bytes: 1, everyMs: 200 }, 'unknown', 1],
    ['throttle-before', { retryAfter: '0.2' }, 'sent', 1], ['throttle-before', { dateMs: -100000 }, 'sent', 1],
    ...[500, 502, 503, 504].flatMap((status) => [
        ['error-before', { status }, 'unknown', 0], ['error-after', { status }, 'unknown', 1]]),
    ['huge-after', {}, 'unknown', 1], ['deep-after', {}, 'unknown', 1], ['deep-after', { closed: true }, 'unknown', 1],
    ['page-after', {}, 'unknown', 1], ['redirect-before', {}, 'sent', 1],
    ['redirect-after', { status: 302 }, 'unknown', 1], ['redirect-after', { status: 303 }, 'unknown', 1],
];

// Anything at all may be done to what has no effect that could be doubled: it comes right by itself.
const READ_ONLY = [['read-twice', {}], ['late-404-before', {}], ['stale', {}]];

function ruleFor(i, match, [action, how]) {
    return { stage: 'request', match: { ...match, text: addressOf(i) }, action, how };
}

let failed = 0;

function report(name, problems) {
    console.log(`${problems.length === 0 ? 'ok' : 'not ok'} - ${name}`);
    problems.slice(0, 12).forEach((problem) => console.log(`#   ${problem}`));
    failed += problems.length === 0 ? 0 : 1;
}

class Cases {
    constructor(host) {
        Object.assign(this, { host, coverage: new Coverage() });
    }

    /** A run with so many accounts under these rules, and what is wrong with it in the end. wanted: by address. */
    async run(name, count, rules, wanted) {
        const { host } = this;
        await host.begin(count);
        await host.tell('set', 'batch', 'false');
        host.proxy.play(rules);
        host.launch();
        const accounts = await host.until(count, isSettled, 60000 + 100 * count);
        const ended = await host.kill();
        const ledger = await host.tell('ledger');
        report(name, [
            ...(ended === 'SIGKILL' ? [] : [`the worker ended by itself: ${ended}`]),
            ...ledgerProblems(accounts, ledger, { accounts: count, addresses: count }),
            ...accounts.flatMap((account) => unlike(account, ledger.addresses[account.email], wanted)),
            ...host.proxy.rules.rules.filter(({ acted }) => acted === 0)
                .map(({ action, match }) => `${action} never happened (${match.text || 'a connection'})`),
            ...this.coverage.take(host.recorded()).map((line) => `no edge of the model: ${line}`),
        ]);
    }

    async mails() {
        const rules = AT_THE_MAIL.map((row, i) => ruleFor(i, MAIL, row));
        const wanted = new Map(AT_THE_MAIL.map(([action, how, mail, mails], i) => [addressOf(i),
            { mail, mails, of: `${action} ${JSON.stringify(how)}` }]));
        await this.run('each fault at the mail: sent once, or not known', rules.length, rules,
            (email) => wanted.get(email));
    }

    async others(name, match, more) {
        const rows = [...AT_THE_MAIL, ...more];
        await this.run(`each fault at ${name}: sent once`, rows.length, rows.map((row, i) => ruleFor(i, match, row)),
            (email) => ({ mail: 'sent', mails: 1, of: email }));
    }

    /** As many accounts as the answer has bytes. */
    async truncated(name, match, mail, every, from) {
        this.host.proxy.longest = 0;
        const first = ruleFor(0, match, ['truncate', { at: 1, end: 'reset' }]);
        await this.run(`one answer to ${name} is cut off`, 1, [first], () => ({ mail, mails: 1, of: 'byte 1' }));
        const length = Math.ceil((this.host.proxy.longest - from) / every);
        const ends = ['reset', 'fin', 'close'];
        const rules = Array.from({ length }, (_, i) =>
            ruleFor(i, match, ['truncate', { at: from + i * every, end: ends[i % ends.length] }]));
        await this.run(`the answer to ${name} is cut off behind ${length} of its ${this.host.proxy.longest} bytes`,
            length, rules, (email) => ({ mail, mails: 1, of: email }));
    }

    /** A certificate that is not to be trusted: nothing is asked of whoever has it. */
    async certificate(name) {
        const { host } = this;
        await host.begin(1);
        host.proxy.play([{ stage: 'connection', times: 0, action: 'certificate', how: { name } }]);
        host.launch();
        const status = await host.status(({ blocked }) => blocked !== null);
        const asked = await host.tell('requests', '{}');
        host.proxy.play([]);
        const accounts = await host.until(1, isSettled, 30000);
        await host.kill();
        report(`a certificate (${name}) that is not to be trusted: nothing is sent, it is said, and it mends itself`, [
            ...(status.blocked.code === 'tls-not-trusted' ? [] : [`blocked by ${status.blocked.code}`]),
            ...(asked.length === 0 ? [] : [`${asked.length} requests arrived`]),
            ...(accounts.every(({ mail }) => mail === 'sent') ? [] : [`mail ${accounts.map(({ mail }) => mail)}`]),
        ]);
    }

    /** The tenant is held for as long as was asked for, an hour at most, and no longer after a crash (X8). */
    async retryAfter(how, seconds) {
        const { host } = this;
        await host.begin(1);
        host.proxy.play([{ stage: 'request', match: LOOK, action: 'throttle-before', how }]);
        host.launch();
        const held = async () => Date.parse((await host.status(({ holdUntil }) => holdUntil !== null)).holdUntil);
        const left = (await held() - Date.now()) / 1000;
        await host.kill();
        host.launch();
        const again = (await held() - Date.now()) / 1000;
        await host.kill();
        report(`429 with ${JSON.stringify(how)} holds for ${seconds} s, after a crash as well`, [
            ...(left >= seconds - 4 && left <= seconds + 3 ? [] : [`${left} s`]),
            ...(again <= left && again >= left - 4 ? [] : [`${left} s, then ${again} s`]),
        ]);
    }

    /** Connections end at any byte of the handshake, and of what comes after it. */
    async cutConnections(from) {
        const how = (i) => ({ after: from + i * 149, end: i % 2 ? 'reset' : 'fin' });
        const rules = Array.from({ length: 20 }, (_, i) =>
            ({ stage: 'connection', nth: i + 1, action: 'cut', how: how(i) }));
        const others = ['refuse', 'hello-reset', 'plain', 'mute'].map((action, i) => (
            { stage: 'connection', nth: 21 + i, action }));
        await this.run('connections end at many bytes, in the handshake and behind it', 30, [...rules, ...others]);
    }
}

function unlike(account, counted, wanted) {
    const one = wanted && wanted(account.email);
    if (!one || (account.mail === one.mail && counted && counted.mails.length === one.mails))
        return [];
    return [`${account.login}: mail ${account.mail}, ${counted ? counted.mails.length : 'none'} sent, by ${one.of}`];
}

async function main(every, seed) {
    const from = seed % every;
    const host = new Host({ ...JSON.parse(process.env.EI_HOST), timeoutMs: TIMEOUT_MS });
    await host.open();
    const cases = new Cases(host);
    await cases.mails();
    await cases.others('the create', CREATE, []);
    await cases.others('the look-up', LOOK, READ_ONLY);
    await cases.cutConnections(seed % 149);
    for (const name of ['other-name', 'other-authority', 'expired', 'early'])
        await cases.certificate(name);
    for (const [how, seconds] of [[{ retryAfter: '-5' }, 10], [{ retryAfter: 'soon' }, 10], [{ retryAfter: '' }, 10],
        [{ retryAfter: '1000000000000' }, 3600], [{ retryAfter: '9'.repeat(100) }, 3600], [{ retryAfter: '7.128' }, 8],
        [{ dateMs: 10 * 365 * 24 * 3600 * 1000 }, 3600]])
        await cases.retryAfter(how, seconds);
    host.timeoutMs = PATIENT_MS;
    await cases.truncated('the mail', MAIL, 'unknown', every, from);
    await cases.truncated('the create', CREATE, 'sent', every, from);
    console.log(`# seed ${seed}; ${cases.coverage}`);
    process.exit(failed ? 1 : 0);
}

const [every, seed] = process.argv.slice(2).map(Number);
main(every || 1, seed || 0).catch((error) => {
    console.log(`not ok - each fault runs to its end\n#   ${error.stack}`);
    process.exit(1);
});
