'use strict';
// The invariants can fail: a ledger in which all is right has no problem, and each one that is doctored in one place
// has the problem that was put there. Prints a line for each case, as the tests do.

const { ledgerProblems } = require('./invariants');

const ADDRESSES = ['taylor@fabrikam.com', 'robin@fabrikam.com', 'kim@fabrikam.com'];
let request = 0;

function post(guest, mail) {
    request++;
    return {
        n: request, clientRequestId: `crid-${request}`, sendInvitationMessage: mail, resetRedemption: false,
        effect: true, guestId: guest, inviteRedeemUrl: `https://redeem.example/${request}`,
        httpVersion: mail ? '1.1' : '2.0', connection: request, connectionRequest: mail ? 1 : 2,
    };
}

/** taylor was created twice (an answer was lost) and mailed, so was robin; the answer to kim's mail was lost. */
function rightLedger() {
    const ledger = { addresses: {} };
    const accounts = ADDRESSES.map((address) => {
        const login = address.split('@')[0];
        const guest = `guest-of-${login}`;
        const posts = [post(guest, false), post(guest, false), post(guest, true)];
        ledger.addresses[address] = { guests: [guest], ghosts: [], posts, mails: [{ to: address }] };
        return {
            login, email: address, state: 'pending', mail: 'sent', error: null, invitedUserId: guest,
            inviteRedeemUrl: posts[2].inviteRedeemUrl,
        };
    });
    const kim = ledger.addresses['kim@fabrikam.com'];
    Object.assign(accounts[2], {
        mail: 'unknown', error: { code: 'mail-unknown', message: '' }, inviteRedeemUrl: kim.posts[1].inviteRedeemUrl,
    });
    const [taylor, robin] = ADDRESSES.map((address) => ledger.addresses[address]);
    return { accounts, ledger, expected: { accounts: 3, addresses: 3 }, taylor, robin, kim };
}

// Name, what is doctored, and what must be found: the whole list of problems, each by a pattern.
const DOCTORED = [
    ['a second guest', ({ taylor }) => taylor.guests.push('another'), [/^taylor: 2 guests/]],
    ['no guest', ({ taylor }) => { taylor.guests = []; }, [/^taylor: 0 guests/, /two guests/]],
    ['an invitation that made another guest', ({ taylor }) => { taylor.posts[0].guestId = 'another'; },
        [/^taylor: two invitations for two guests/]],
    ['one guest for two addresses', ({ accounts, taylor, robin }) => {
        robin.guests = taylor.guests;
        robin.posts.forEach((one) => { one.guestId = taylor.guests[0]; });
        accounts[1].invitedUserId = taylor.guests[0];
    }, [/^2 guests of their own, not 3/]],
    ['a guest that never appeared', ({ robin }) => robin.ghosts.push('ghost'),
        [/^robin: 1 guests that never appeared/]],
    ['another guest on record', ({ accounts }) => { accounts[0].invitedUserId = 'another'; }, [/shows another guest/]],
    ['a second mail', ({ taylor }) => {
        taylor.posts.push(post('guest-of-taylor', true));
        taylor.mails.push({});
    }, [/^taylor: 2 mails/, /says that a mail was sent, 2 were/, /after the mail/, /not the latest/]],
    ['a mail that is said to be sent and was not', ({ taylor }) => {
        taylor.mails = [];
        taylor.posts[2].effect = false;
    }, [/says that a mail was sent, 0 were/, /never gave/]],
    ['a second mail behind an unknown one', ({ kim }) => {
        kim.posts.push(post('guest-of-kim', true));
        kim.mails.push({});
    }, [/^kim: 2 mails/, /after the mail/]],
    ['a mail that nobody speaks of', ({ accounts }) => { accounts[1].mail = 'none'; },
        [/mail is none/, /not the latest/]],
    ['a mail that was to be sent', ({ accounts }) => { accounts[1].mail = 'sending'; },
        [/mail is sending/, /not the latest/]],
    ['an unknown mail without a word', ({ accounts }) => { accounts[2].error = null; },
        [/^kim: the mail is unknown, but it shows no error/]],
    ['an error that is over', ({ accounts }) => { accounts[0].error = { code: 'throttled', message: '' }; },
        [/^taylor: invited and mailed, but shows throttled/]],
    ['the link before the latest', ({ accounts, taylor }) => {
        accounts[0].inviteRedeemUrl = taylor.posts[1].inviteRedeemUrl;
    }, [/^taylor: shows a link that is not the latest/]],
    ['the link of a create whose answer was lost', ({ accounts, kim }) => {
        accounts[2].inviteRedeemUrl = kim.posts[0].inviteRedeemUrl;
    }, [/^kim: shows a link that is not the latest/]],
    ['a link from nowhere', ({ accounts }) => { accounts[0].inviteRedeemUrl = 'https://redeem.example/'; },
        [/^taylor: shows a link that Graph never gave/]],
    ['no link', ({ accounts }) => { accounts[2].inviteRedeemUrl = null; },
        [/^kim: shows a link that Graph never gave/]],
    ['a create after the mail', ({ accounts, taylor }) => {
        taylor.posts.push(post('guest-of-taylor', false));
        accounts[0].inviteRedeemUrl = taylor.posts[3].inviteRedeemUrl;
    }, [/^taylor: sends an invitation after the mail/]],
    ['a mail that libcurl repeated', ({ kim }) => {
        kim.posts.splice(2, 0, { ...kim.posts[2], effect: false });
    }, [/^kim: two requests for the mail have one client-request-id/]],
    ['a mail on a kept connection', ({ robin }) => { robin.posts[2].connectionRequest = 2; },
        [/^robin: .*first request/]],
    ['a mail by HTTP/2', ({ robin }) => { robin.posts[2].httpVersion = '2.0'; }, [/^robin: .*HTTP\/1\.1/]],
    ['a redemption that was reset', ({ robin }) => { robin.posts[0].resetRedemption = true; }, [/^robin: resets/]],
    ['a request that is stuck', ({ accounts }) => { accounts[1].state = 'queued'; }, [/^robin: state queued/]],
    ['a request that failed', ({ accounts }) => {
        Object.assign(accounts[1], { state: 'failed', error: { code: 'second-guest', message: 'two of them' } });
    }, [/shows second-guest/, /^robin: state failed \(two of them\)/]],
    ['a request that is lost', ({ accounts }) => accounts.splice(1, 1),
        [/^2 accounts, not 3/, /^2 logins, not 3/, /^2 addresses of accounts, not 3/]],
    ['a request that never reached Graph', ({ ledger }) => { delete ledger.addresses['robin@fabrikam.com']; },
        [/^robin: 0 guests/, /^robin: says that a mail was sent, 0 were/, /^robin: .*never gave/,
            /^2 addresses that reached Graph/]],
    ['an account twice', ({ accounts }) => { accounts[1] = accounts[0]; }, [/^2 logins/, /^2 addresses of accounts/]],
    ['an invitation of somebody else', ({ ledger }) => {
        ledger.addresses['sasha@fabrikam.com'] = { guests: [], ghosts: [], posts: [], mails: [] };
    }, [/^4 addresses that reached Graph/]],
    ['another word on the mail than expected', ({ expected }) => { expected.mail = 'sent'; },
        [/^kim: mail is unknown, not/]],
    ['another number of mails than expected', ({ kim, expected }) => { kim.mails = []; expected.mails = 1; },
        [/^0 mails to kim@fabrikam.com, not 1/]],
];

function report(name, problems, wanted) {
    const right = problems.length === wanted.length &&
        wanted.every((pattern) => problems.some((one) => pattern.test(one)));
    console.log(`${right ? 'ok' : 'not ok'} - ${name}`);
    if (!right)
        console.log(`#   wanted: ${wanted.join(', ')}\n#   got:    ${problems.join(', ')}`);
    return right;
}

function problemsOf({ accounts, ledger, expected }) {
    return ledgerProblems(accounts, ledger, expected);
}

let failed = report('a right ledger has no problem', problemsOf(rightLedger()), []) ? 0 : 1;
for (const [name, doctor, wanted] of DOCTORED) {
    const world = rightLedger();
    doctor(world);
    failed += report(`found: ${name}`, problemsOf(world), wanted) ? 0 : 1;
}
process.exitCode = failed ? 1 : 0;
