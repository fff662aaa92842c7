'use strict';
// How it ends: nothing more is to come for an account but what the partner does.

/** What was not seen for a while is seen in the end, so a mail that was sent leaves no error behind, and one of which
 *  nobody knows the word for that. */
function isSettled({ state, mail, error }) {
    const code = error ? error.code : null;
    const isSaid = mail === 'sent' ? code === null : mail === 'unknown' && code === 'mail-unknown';
    return state === 'pending' && isSaid;
}

/** Somebody who was a guest before us, pending or accepted: is never mailed. */
function isLinked({ state, mail, error }, before) {
    return state === before && mail === 'none' && !error;
}

function linkedProblems(account, counted) {
    const { mails = [], guests = [] } = counted || {};
    return mails.length === 0 && guests.length === 0 ? [] :
        [`${account.login}, a guest before: ${mails.length} mails, ${guests.length} new guests`];
}

/** After a resend: the right to one more mail, and no other guest. */
function resentProblems(account, counted) {
    const found = [];
    if (!isSettled(account))
        found.push(`asked for again: ${account.state}, mail ${account.mail}`);
    if (counted.guests.length !== 1 || counted.guests[0] !== account.invitedUserId)
        found.push(`asked for again: guests ${counted.guests}, not ${account.invitedUserId}`);
    if (counted.mails.length > 2 || (account.mail === 'sent' && counted.mails.length === 0))
        found.push(`asked for again: mail ${account.mail}, ${counted.mails.length} sent`);
    if (!counted.posts.some((post) => post.effect && post.inviteRedeemUrl === account.inviteRedeemUrl))
        found.push('asked for again: shows a link that Graph never gave');
    return found.map((problem) => `${account.login}: ${problem}`);
}

module.exports = { isSettled, isLinked, linkedProblems, resentProblems };
