'use strict';
// Random schedules: faults of the wire, faults of the service and SIGKILLs together, and afterwards the ledger is right
// and each transition an edge of the model. schedules.js FIRST-SEED COUNT SECONDS: so many schedules, each with the
// next seed; fewer where the seconds are over (0: however long it takes). A seed repeats its schedule: what is drawn is the
// same, what the machine makes of it is so nearly.

const fs = require('fs');
const { TIMEOUT_MS, draw } = require('./draw');
const { Host, addressOf, indexOf, pause } = require('./host');
const { ledgerProblems } = require('./invariants');
const { isSettled, isLinked, linkedProblems, resentProblems } = require('./settled');
const { Coverage } = require('./transitions');

const TELL = 100; // schedules, after which it says how far it is
const SETTLE_MS = 60000; // a hold of ten seconds may come twice

class Run {
    constructor(host, schedule) {
        Object.assign(this, { host, schedule, problems: [], kills: 0, over: false });
        this.deaths = Promise.resolve();
    }

    /** Dies, and is started again; one after the other, whoever asks for it. */
    die() {
        if (this.over)
            return;
        this.deaths = this.deaths.then(async () => {
            if (this.over)
                return;
            this.kills++;
            this.wasKilled(await this.host.kill());
            this.host.launch();
        });
    }

    wasKilled(how) {
        if (how !== null && how !== 'SIGKILL')
            this.problems.push(`the worker ended by itself: ${how}`);
    }

    async prepare() {
        const { host, schedule } = this;
        await host.begin(schedule.accounts);
        for (const [name, value] of Object.entries(schedule.simulator.settings))
            await host.tell('set', name, JSON.stringify(value));
        for (const [i, kind] of schedule.before.entries()) {
            if (kind)
                await host.tell('user', JSON.stringify({ kind, address: addressOf(i) }));
        }
        await host.tell('fault', JSON.stringify(schedule.simulator.faults));
        host.proxy.play(schedule.rules, { http2: schedule.http2 });
        host.proxy.kill = () => this.die();
    }

    /** Timed kills, and a worker that is pushed or left to itself. */
    async chaos() {
        const { host, schedule } = this;
        const timers = schedule.kills.map((ms) => setTimeout(() => this.die(), ms));
        const refresh = setInterval(() => host.call('Refresh'), schedule.refreshMs);
        host.launch();
        await pause(schedule.chaosMs);
        timers.forEach(clearTimeout);
        clearInterval(refresh);
    }

    before({ email }) {
        return this.schedule.before[indexOf(email)];
    }

    /** What is left of the faults still happens; they are used up some time. */
    async judge() {
        const { host, schedule } = this;
        const accounts = await this.settle();
        this.problems.push(...this.accountProblems(accounts, await host.tell('ledger')));
        this.unknown = accounts.filter(({ mail }) => mail === 'unknown').length;
        if (schedule.again && this.problems.length === 0)
            await this.resend(accounts.filter((account) => !this.before(account)));
        if (schedule.redeemed && this.problems.length === 0)
            await this.redeem(accounts.filter(({ state }) => state === 'pending'));
        this.wasKilled(await host.kill());
    }

    /** The accounts when all has come to rest, with no death under way. */
    async settle() {
        const { host, schedule } = this;
        const accounts = await host.until(schedule.accounts, (account) => (this.before(account)
            ? isLinked(account, this.before(account)) : isSettled(account)), SETTLE_MS);
        this.over = true;
        await this.deaths;
        return accounts;
    }

    /** Everybody is mailed once more, while it all goes wrong again. */
    async resend(accounts) {
        const { host, schedule } = this;
        host.proxy.play(schedule.again, { http2: schedule.http2 });
        for (const { email } of accounts)
            await host.call('Resend', { target: email });
        this.over = false;
        const settled = await this.settle();
        const { addresses } = await host.tell('ledger');
        for (const account of settled) {
            if (!this.before(account))
                this.problems.push(...resentProblems(account, addresses[account.email]));
        }
    }

    accountProblems(accounts, ledger) {
        const { schedule } = this;
        const linked = accounts.filter((one) => this.before(one));
        const ours = accounts.filter((one) => !this.before(one));
        const expected = schedule.before.filter((kind) => !kind).length;
        const addresses = Object.fromEntries(Object.entries(ledger.addresses)
            .filter(([address]) => !this.before({ email: address })));
        return [
            ...ledgerProblems(ours, { ...ledger, addresses }, { accounts: expected, addresses: expected }),
            ...linked.flatMap((account) => [...linkedProblems(account, ledger.addresses[account.email]),
                ...(isLinked(account, this.before(account)) ? []
                    : [`${account.login}: ${account.state}, mail ${account.mail}`])]),
            ...(accounts.length === schedule.accounts ? [] : [`${accounts.length} accounts, not ${schedule.accounts}`]),
        ];
    }

    /** The partners accept; it is noticed. */
    async redeem(accounts) {
        const { host, schedule } = this;
        for (const { email } of accounts)
            await host.tell('redeem', email);
        const all = await host.until(schedule.accounts, ({ state }) => state === 'accepted', SETTLE_MS);
        this.problems.push(...all.filter(({ state }) => state !== 'accepted')
            .map(({ login, state }) => `${login}: redeemed, and ${state}`));
    }
}

function say(line) {
    process.stdout.write(`${line}\n`);
}

class Tally {
    constructor() {
        Object.assign(this, { runs: 0, failed: 0, kills: 0, accounts: 0, unknown: 0, coverage: new Coverage() });
    }

    take(run, transitions) {
        this.runs++;
        this.kills += run.kills;
        this.accounts += run.schedule.accounts;
        this.unknown += run.unknown || 0;
        for (const line of this.coverage.take(transitions))
            run.problems.unshift(`no edge of the model: ${line}`);
        if (run.problems.length === 0)
            return;
        this.failed++;
        say(`not ok - seed ${run.schedule.seed}: the ledger is right, and the model has every transition`);
        for (const problem of run.problems.slice(0, 12))
            say(`#   ${problem}`);
        say(`#   repeat it: SEED=${run.schedule.seed} SCHEDULES=1 tests/faults/run test-proxy-random.sh`);
    }

    report(proxy, seed) {
        say(`# seed ${seed}: ${this.runs} schedules, ${this.accounts} accounts, ${this.kills} kills, `
            + `${this.unknown} mails unknown`);
        const faults = [...proxy.acted].sort().map(([action, count]) => `${action} ${count}`);
        say(`# faults of the proxy: ${faults.join(', ')}`);
        say(`# ${this.coverage}`);
        if (process.env.LAB_UNSEEN)
            this.coverage.unseen().forEach((edge) => say(`# not seen: ${edge}`));
    }
}

async function main(seed, count, seconds) {
    const host = new Host({ ...JSON.parse(process.env.EI_HOST), timeoutMs: TIMEOUT_MS });
    await host.open();
    const tally = new Tally();
    const end = seconds ? Date.now() + seconds * 1000 : Infinity;
    let isStopped = false;
    process.on('SIGTERM', () => { isStopped = true; }); // ends behind the schedule that is under way
    for (let i = 0; i < count && Date.now() < end && !isStopped; i++) {
        const run = new Run(host, draw(seed + i));
        fs.writeSync(host.log, `==== seed ${seed + i}\n`);
        await run.prepare();
        await run.chaos();
        await run.judge();
        tally.take(run, host.recorded());
        if ((i + 1) % TELL === 0)
            tally.report(host.proxy, seed);
    }
    tally.report(host.proxy, seed);
    if (tally.failed === 0)
        say(`ok - ${tally.runs} schedules from seed ${seed}: the ledger is right, and the model has every transition`);
    process.exit(0);
}

const [seed, count, seconds] = process.argv.slice(2).map(Number);
main(seed, count, seconds).catch((error) => {
    say(`not ok - the schedules run to their end\n#   ${error.stack}`);
    process.exit(1);
});
