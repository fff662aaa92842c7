'use strict';
// Compares what the worker says with what the simulator counted: check-ledger.js LIST.json LEDGER.json NUMBER. Prints one
// line for each broken promise; nothing if all NUMBER invitations are right.

const fs = require('fs');

const [accounts, ledger] = process.argv.slice(2, 4).map((name) => JSON.parse(fs.readFileSync(name, 'utf8')));
const wantedNumber = Number(process.argv[4]);
const problems = [];

function checkAccount(account) {
    const counted = ledger.addresses[account.email] || { guests: [], mails: [], posts: [] };
    const links = counted.posts.filter((post) => post.effect).map((post) => post.inviteRedeemUrl);
    const say = (text) => problems.push(`${account.login}: ${text}`);
    if (account.state !== 'pending')
        say(`state ${account.state} (${account.error ? account.error.message : 'no error'})`);
    if (counted.guests.length !== 1)
        say(`${counted.guests.length} guests`);
    else if (account.invitedUserId !== counted.guests[0])
        say('shows another guest');
    if (counted.mails.length > 1)
        say(`${counted.mails.length} mails`);
    if (account.mail === 'sent' && counted.mails.length !== 1)
        say(`says that a mail was sent, ${counted.mails.length} were`);
    if (account.mail === 'sent' && account.inviteRedeemUrl !== links[links.length - 1])
        say('shows a link that is not the latest');
    if (!links.includes(account.inviteRedeemUrl))
        say('shows a link that Graph never gave');
    if (account.mail !== 'sent' && account.mail !== 'unknown')
        say(`mail is ${account.mail}`);
}

accounts.forEach(checkAccount);
const logins = new Set(accounts.map((account) => account.login));
if (accounts.length !== wantedNumber || logins.size !== wantedNumber)
    problems.push(`${accounts.length} rows of ${logins.size} logins, not ${wantedNumber}`);
if (Object.keys(ledger.addresses).length !== wantedNumber)
    problems.push(`${Object.keys(ledger.addresses).length} addresses reached Graph, not ${wantedNumber}`);
process.stdout.write(problems.map((problem) => `${problem}\n`).join(''));
