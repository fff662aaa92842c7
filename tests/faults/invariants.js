'use strict';
// What must hold after any crash: the worker's own accounts against what the simulator counted. Each function returns
// the broken promises, one line each.

const SAID = ['sent', 'unknown'];

function linkProblems(account, effective) {
    const links = (posts) => posts.map((post) => post.inviteRedeemUrl);
    const own = account.inviteRedeemUrl;
    if (!links(effective).includes(own))
        return ['shows a link that Graph never gave'];
    // The mail is the last step, so with an answer its link is the latest; without one, that of the last create.
    const arrived = effective.filter((post) => account.mail === 'sent' || !post.sendInvitationMessage);
    return own === links(arrived).pop() ? [] : ['shows a link that is not the latest that arrived'];
}

function guestProblems(account, counted, effective) {
    const problems = [];
    if (counted.guests.length !== 1)
        problems.push(`${counted.guests.length} guests`);
    else if (account.invitedUserId !== counted.guests[0])
        problems.push('shows another guest');
    if (effective.some((post) => post.guestId !== counted.guests[0]))
        problems.push('two invitations for two guests');
    return problems;
}

function mailProblems(account, counted) {
    const mails = counted.mails.length;
    const code = account.error ? account.error.code : 'no error';
    const problems = [];
    if (mails > 1)
        problems.push(`${mails} mails`);
    if (!SAID.includes(account.mail))
        problems.push(`mail is ${account.mail}`);
    if (account.mail === 'sent' && mails !== 1)
        problems.push(`says that a mail was sent, ${mails} were`);
    if (account.mail === 'sent' && account.error)
        problems.push(`invited and mailed, but shows ${code}: ${account.error.message}`);
    if (account.mail === 'unknown' && code !== 'mail-unknown')
        problems.push(`the mail is unknown, but it shows ${code}`);
    return problems;
}

// What was sent, in order: nothing after the mail; the mail on a connection of its own (X6); each attempt under an id
// of its own, so that what libcurl repeats by itself is seen (X7); no redemption is ever reset by itself (X4).
function postProblems(posts) {
    const problems = [];
    const mailed = posts.findIndex((post) => post.sendInvitationMessage && post.effect);
    if (mailed >= 0 && mailed !== posts.length - 1)
        problems.push('sends an invitation after the mail');
    const mails = posts.filter((post) => post.sendInvitationMessage);
    if (mails.some((post) => post.connectionRequest !== 1 || post.httpVersion !== '1.1'))
        problems.push('the mail was not the first request of a connection by HTTP/1.1');
    if (new Set(mails.map((post) => post.clientRequestId)).size !== mails.length)
        problems.push('two requests for the mail have one client-request-id');
    if (posts.some((post) => post.resetRedemption))
        problems.push('resets the redemption');
    return problems;
}

/** One account that is to be invited and mailed, and what the simulator counted for its address. */
function accountProblems(account, counted) {
    const effective = counted.posts.filter((post) => post.effect);
    const problems = [
        ...guestProblems(account, counted, effective),
        ...mailProblems(account, counted),
        ...postProblems(counted.posts),
    ];
    if (account.state !== 'pending')
        problems.push(`state ${account.state} (${account.error ? account.error.message : 'no error'})`);
    else
        problems.push(...linkProblems(account, effective));
    if (counted.ghosts.length)
        problems.push(`${counted.ghosts.length} guests that never appeared`);
    return problems.map((problem) => `${account.login}: ${problem}`);
}

const NOTHING = { guests: [], ghosts: [], posts: [], mails: [] };

function exactly(what, number, wanted) {
    return wanted === undefined || number === wanted ? [] : [`${number} ${what}, not ${wanted}`];
}

/**
 * All accounts of a host against the whole ledger. expected: accounts and addresses are numbers; mail (`sent` or
 * `unknown`) and mails (a number), if given, hold for every account.
 */
function ledgerProblems(accounts, ledger, expected) {
    const counted = (account) => ledger.addresses[account.email] || NOTHING;
    const guests = Object.values(ledger.addresses).flatMap((entry) => entry.guests);
    return [
        ...accounts.flatMap((account) => accountProblems(account, counted(account))),
        ...accounts.flatMap((account) => [
            ...(expected.mail === undefined || account.mail === expected.mail
                ? [] : [`${account.login}: mail is ${account.mail}, not ${expected.mail}`]),
            ...exactly(`mails to ${account.email}`, counted(account).mails.length, expected.mails),
        ]),
        ...exactly('accounts', accounts.length, expected.accounts),
        ...exactly('logins', new Set(accounts.map((account) => account.login)).size, expected.accounts),
        ...exactly('addresses of accounts', new Set(accounts.map((account) => account.email)).size, expected.addresses),
        ...exactly('addresses that reached Graph', Object.keys(ledger.addresses).length, expected.addresses),
        ...exactly('guests of their own', new Set(guests).size, guests.length),
    ];
}

module.exports = { accountProblems, ledgerProblems };
