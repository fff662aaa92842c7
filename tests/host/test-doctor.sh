#!/bin/bash
# entra-invite doctor: a healthy host has no finding, and each thing that is broken for real is found, with its mend.
. "$(dirname "$0")/lib.sh"
install_tree
enable_pam
start_simulator
sponsored='invitation: { sponsors = ( "kim@contoso.onmicrosoft.com" ); };'
write_config "$sponsored"
start_worker

# Sets out (JSON) and rc.
look() {
    capture entra-invite doctor --json
    json '.map((f) => f.check).join("\n")' <<<"$out" >>"$work/checks"
}

# The status and text of the first finding of CHECK whose text matches, and whether it has a mend.
finding() { # CHECK EXTENDED-REGEX
    node -e 'const [check, part] = process.argv.slice(1);
        const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
        const one = all.find((f) => f.check === check && new RegExp(part).test(f.what));
        console.log(one ? `${one.status}${one.mend ? " with a mend" : ""}` : "none");' -- "$1" "$2" <<<"$out"
}

wrong() { # NAME STATUS CHECK EXTENDED-REGEX
    look
    assert_eq "$1: found" "$2 with a mend" "$(finding "$3" "$4")"
    case $2 in failed) assert_eq "$1: exit code" 2 "$rc" ;; *) assert_true "$1: exit code ($rc)" test "$rc" = 1 -o "$rc" = 2 ;; esac
}

mended() { # NAME
    look
    [ "$rc" = 0 ] && pass "$1: mended, nothing is left" || fail "$1: mended, nothing is left" "$(entra-invite doctor | grep -Ev '^  (ok|skipped)|^[a-z]')"
}

# ---- a healthy host --------------------------------------------------------------------------------------------------

look
assert_eq 'a healthy host: exit code' 0 "$rc"
assert_eq 'a healthy host: no failure, no warning' 0 \
    "$(json '.filter((f) => f.status !== "ok" && f.status !== "skipped").length' <<<"$out")"
assert_eq 'every finding has the documented members' true "$(json '.every((f) =>
    Object.keys(f).join() === "group,check,status,what,mend,error" && f.group && f.check && f.what)' <<<"$out")"
for check in configuration group service-user credential-file token file-mode view view-age worker work accounts store held \
    login graph clock-login clock-graph dns proxy permission-invite permission-status permission-domains hook \
    pam-module pam-stack pam-password; do
    assert_eq "a healthy host: $check" ok "$(finding "$check" .)"
done
text=$(entra-invite doctor)
assert_match 'for people: a heading and a line each' '^  ok       .*/entra-invite.conf is good$' "$text"
assert_match 'for people: a sum' '^[0-9]+ ok, [0-9]+ skipped, 0 warnings, 0 failed$' "$text"
assert_no_match 'no secret is shown' "$(cat "$secret")" "$text$out"
assert_no_match 'no token is shown' 'eyJ' "$text$out"
useradd -m -s /bin/bash robin
capture runuser -u robin -- entra-invite doctor
assert_eq 'only root may: exit code' 4 "$rc"
# Asking is all that it does.
assert_eq 'nothing is changed in the tenant' 0 \
    "$(simulator requests '{"path":"^/v1.0/"}' | json '.filter((r) => r.method !== "GET").length')"

# ---- configuration and files -----------------------------------------------------------------------------------------

cp "$config" "$work/good.conf"
echo 'no_such_key = 1;' >>"$config"
wrong 'a configuration with a mistake' failed configuration 'no_such_key'
assert_match 'a configuration with a mistake: file and line are named' 'entra-invite.conf:[0-9]+' "$out"
cp "$work/good.conf" "$config"
write_config
wrong 'a rule without a sponsor' warning sponsors 'rule "partners": its guests have no sponsor'
write_config "$sponsored" 'invitation: { send_message = true; message_body = "Welcome"; sponsors = ( "kim@contoso.onmicrosoft.com" ); };'
wrong 'a text that Microsoft leaves out' warning invitation 'message_body'
assert_eq 'mail: other hosts are not seen' 'skipped with a mend' "$(finding mail 'other hosts')"
cp "$work/good.conf" "$config"
groupdel partners
wrong 'a missing group' failed group 'partners does not exist'
groupadd partners
chmod 0640 "$secret"
wrong 'a credential file that others may read' failed credential-file 'mode 0640'
chmod 0600 "$secret"
chmod 0755 /var/lib/entra-invite/private
wrong 'an open state directory' failed file-mode 'private has the mode 0755'
chmod 0700 /var/lib/entra-invite/private
chmod 0666 "$socket"
wrong 'an open socket' failed file-mode 'entra-invite.sock has the mode 0666'
chmod 0600 "$socket"
chown nobody "$public"
wrong 'a public directory of somebody else' failed file-mode 'public is owned by uid'
chown entra-invite "$public"
chmod 0666 "$public/status.cdb"
wrong 'a view that others may change' failed view 'status.cdb'
chmod 0644 "$public/status.cdb"
mended 'the files'

# ---- hooks, PAM, sshd, NSS -------------------------------------------------------------------------------------------

hook=/etc/shadow-maint/useradd-post.d/entra-invite
chmod 0644 "$hook"
wrong 'a hook that cannot be run' failed hook 'cannot be run'
capture useradd sasha
assert_eq 'useradd fails with it, as is said' 1 "$rc"
chmod 0755 "$hook"
touch "${hook%/*}/README"
wrong 'a stray file among the hooks' failed hook-folder 'README cannot be run'
rm "${hook%/*}/README"
mv "$hook" "$work/hook"
wrong 'a missing hook' warning hook 'No such file'
mv "$work/hook" "$hook"
mended 'the hooks'

stack=/etc/pam.d/common-account
[ -e "$stack" ] || stack=/etc/pam.d/password-auth
cp "$stack" "$work/stack"
gate_line=$(grep pam_entra_invite "$stack")
sed -i "/pam_entra_invite/d; \$a $gate_line" "$stack"
if grep -q 'new_authtok_reqd=done' "$stack"; then
    wrong 'a gate behind pam_unix (B6)' failed pam-stack 'sshd: pam_unix.so at .* may let in without asking'
else
    skip 'a gate behind pam_unix (B6)' 'this stack does not end there'
fi
cp "$work/stack" "$stack"
sed -i "0,/^account/s/^account/account sufficient pam_localuser.so\n&/" "$stack"
wrong 'a gate behind pam_localuser (B5)' failed pam-stack 'sshd: pam_localuser.so at .* may let in without asking'
cp "$work/stack" "$stack"
sed -i 's/^account.*pam_entra_invite.so/account optional pam_entra_invite.so/' "$stack"
wrong 'a gate that may not refuse' failed pam-stack 'does not let it refuse'
cp "$work/stack" "$stack"
sed -i '/^account/s/pam_entra_invite.so/& pending=warn/' "$stack"
wrong 'a gate that only warns' warning pam-stack 'only warns'
cp "$work/stack" "$stack"
module=$(ls /usr/lib/*/security/pam_entra_invite.so /usr/lib64/security/pam_entra_invite.so 2>/dev/null | head -n 1)
mv "$module" "$work/module"
wrong 'a gate without its module' failed pam-module 'its file is not there'
mv "$work/module" "$module"
for file in /etc/pam.d/*; do sed -i --follow-symlinks "/^account.*pam_entra_invite/d" "$file"; done
wrong 'a gate that is off' warning pam-module 'the gate is off'
cp "$work/stack" "$stack"
if command -v pam-auth-update >/dev/null; then mended 'the gate'; fi

if [ -x /usr/sbin/sshd ]; then
    cp /etc/ssh/sshd_config "$work/sshd_config.saved"
    sed -i '/UsePAM/d; 1i UsePAM no' /etc/ssh/sshd_config
    wrong 'an sshd that does not ask PAM' failed sshd-usepam 'UsePAM no'
    install -d -m 0755 /run/sshd
    ssh-keygen -A >/dev/null
    assert_match 'sshd itself says so' '^usepam no' "$(/usr/sbin/sshd -T 2>&1)"
    wrong 'an sshd that does not ask PAM, asked itself' failed sshd-usepam 'UsePAM no'
    cp "$work/sshd_config.saved" /etc/ssh/sshd_config
else
    skip 'an sshd that does not ask PAM' 'there is no sshd here'
fi
cp /etc/nsswitch.conf "$work/nsswitch"
nss=$(ls /usr/lib/*/libnss_entra_invite.so.2 /usr/lib64/libnss_entra_invite.so.2 2>/dev/null | head -n 1)
sed -i 's/^group:.*/& entra_invite/' /etc/nsswitch.conf
look
assert_eq 'an NSS line with its module' ok "$(finding nss .)"
mv "$nss" "$work/nss.so"
wrong 'an NSS line without its module' failed nss 'is not installed'
mv "$work/nss.so" "$nss"
cp "$work/nsswitch" /etc/nsswitch.conf

# A check-up whose caller is gone ends all the same, and so does one while the worker stops.
simulator fault '{"match":{"path":"authorizationPolicy"},"times":0,"action":{"hold":"policy","when":"before"}}' >/dev/null
for signal in KILL INT; do
    entra-invite doctor >/dev/null 2>&1 &
    assert_true "a check-up is under way ($signal)" simulator wait '{"path":"authorizationPolicy","held":true,"count":1}' --timeout 10
    kill "-$signal" $!
    wait $! 2>/dev/null
done
simulator faults-clear >/dev/null
mended 'a caller that is gone'

# ---- permissions -----------------------------------------------------------------------------------------------------

roles() { # JSON; the worker asks for a new token
    simulator set roles "$1" >/dev/null
    capture entra-invite refresh --wait
}
roles '["User.Invite.All"]'
wrong 'no User.Read.All' failed permission-status 'needs User.Read.All'
roles '["User.Read.All"]'
wrong 'no User.Invite.All' failed permission-invite 'needs User.Invite.All'
roles '["User.Invite.All","User.Read.All","RoleManagement.ReadWrite.Directory"]'
wrong 'more than needed' warning permission-excess 'RoleManagement.ReadWrite.Directory'
roles '["User.Invite.All","User.Read.All","Policy.Read.All"]'
look
assert_eq 'who may invite: read with Policy.Read.All' ok "$(finding invite-policy 'allowInvitesFrom is everyone')"
simulator set allowInvitesFrom '"none"' >/dev/null
wrong 'invitations are off' failed invite-policy 'nobody'
simulator set allowInvitesFrom '"everyone"' >/dev/null
roles '["User.Invite.All","User.Read.All"]'
write_config "$sponsored" 'rules = ( { name = "partners"; group = "partners"; on_account_removal = "delete"; } );'
kill -HUP "$worker_pid"
assert_within 10 'the new configuration is in force' log_has 'configuration.*(read|force)'
wrong 'a rule that deletes, without the right' failed permission-delete 'needs User.ReadWrite.All'
cp "$work/good.conf" "$config"
kill -HUP "$worker_pid"
roles '["User.Invite.All","User.Read.All","Organization.Read.All"]'
mended 'the permissions'
# A token is opaque by Microsoft's word.
simulator fault '[{"match":{"path":"/token$"},"action":{"body":{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}}},
    {"match":{"path":"^/v1.0/."},"times":0,"action":{"status":403}}]' >/dev/null
capture entra-invite refresh --wait
look
assert_eq 'a token that does not tell: no failure' skipped "$(finding permission-invite .)"
assert_eq 'a token that does not tell: the token' ok "$(finding token .)"
assert_eq 'a token that does not tell: exit code' 0 "$rc"
simulator faults-clear >/dev/null
capture entra-invite refresh --wait

# ---- the way to Microsoft --------------------------------------------------------------------------------------------

ahead=$(LC_ALL=C date -u -d '90 seconds ago' '+%a, %d %b %Y %H:%M:%S GMT')
simulator fault "{\"match\":{\"path\":\"^/v1.0/\$\"},\"action\":{\"headers\":{\"Date\":\"$ahead\"}}}" >/dev/null
wrong 'a clock that is off' warning clock-graph 'the clock is 9[0-9] s ahead of that of Microsoft Graph'
behind=$(LC_ALL=C date -u -d '10 minutes' '+%a, %d %b %Y %H:%M:%S GMT')
simulator fault "{\"match\":{\"path\":\"openid-configuration\"},\"action\":{\"headers\":{\"Date\":\"$behind\"}}}" >/dev/null
wrong 'a clock that is far off' failed clock-login 'behind that of the login service'
simulator faults-clear >/dev/null
simulator expire-tokens >/dev/null
simulator fault '{"match":{"path":"/token$"},"times":0,"action":{"aadsts":7000222}}' >/dev/null
capture entra-invite refresh --wait
wrong 'a secret that has expired' failed token 'AADSTS7000222'
assert_eq 'the error has its code' secret-expired \
    "$(json '.find((f) => f.check === "token").error.code' <<<"$out")"
assert_true 'the log has both ids' log_has '\[secret-expired; request-id [0-9a-f-]{36}; client-request-id [0-9a-f-]{36}\] - '
assert_match 'the ids of the request are shown' '^           client-request-id: [0-9a-f-]{36}$' "$(entra-invite doctor)"
simulator faults-clear >/dev/null
capture entra-invite refresh --wait
mended 'the secret'
HTTPS_PROXY=http://proxy.example:3128 capture entra-invite doctor --json
assert_eq 'a proxy in the environment is said to be of no use' 'skipped with a mend' "$(finding proxy HTTPS_PROXY)"

openssl req -x509 -newkey rsa:2048 -nodes -days 5 -subj '/CN=another CA' -keyout /dev/null -out "$work/ca.pem" 2>/dev/null
chmod 0644 "$work/ca.pem"
stop_worker
write_config "ca_file = \"$work/ca.pem\";"
launch_worker
assert_within 10 'the worker starts with another CA' worker_answers
wrong 'a CA that ends soon' warning ca-file 'ends at'
assert_eq 'a server that is not trusted' 'failed with a mend' "$(finding login 'certificate not trusted')"
assert_eq 'a server that is not trusted: its code' tls-not-trusted \
    "$(json '.find((f) => f.check === "graph").error.code' <<<"$out")"
stop_worker
cp "$work/good.conf" "$config"
start_worker
mended 'the CA'

# ---- the worker ------------------------------------------------------------------------------------------------------

for i in 1 2 3; do echo "x$i:x:300$i:$(getent group partners | cut -d: -f3):X <x$i@fabrikam.com>:/:/bin/sh"; done >"$work/mass"
stop_worker
write_config "$sponsored" 'max_new = 1;'
start_worker
cat "$work/mass" >>/etc/passwd
assert_within 20 'a mass is held' listed held 3
wrong 'held accounts' warning held '3 accounts were'
sed -i '/^x[123]:/d' /etc/passwd
simulator fault '{"match":{"path":"authorizationPolicy"},"times":0,"action":{"hold":"policy","when":"before"}}' >/dev/null
entra-invite doctor --json >"$work/ended.json" 2>&1 &
ended=$!
assert_true 'a check-up is under way when the worker stops' \
    simulator wait '{"path":"authorizationPolicy","held":true,"count":1}' --timeout 10
stop_worker
wait "$ended"
assert_eq 'the worker stops well in the middle of a check-up' 0 "$worker_rc"
assert_eq 'and the check-up says what it can' failed \
    "$(json '.find((f) => f.check === "worker").status' <"$work/ended.json")"
simulator faults-clear >/dev/null
start_worker
simulator stop >/dev/null
wrong 'Microsoft cannot be reached' failed graph 'localhost'
assert_eq 'Microsoft cannot be reached: login too' 'failed with a mend' "$(finding login localhost)"
stop_worker
wrong 'the worker is down' failed worker 'does not answer'
assert_eq 'the worker is down: the rest is looked at' ok "$(finding pam-stack 'sshd: the gate')"
assert_eq 'the worker is down: names are still looked up' ok "$(finding dns localhost)"

for check in $(sort -u "$work/checks"); do
    assert_true "the manual has the check $check" grep -Eq "^\.((It|Pq) )?Cm (.* )?$check( |\$)" "$repo/plugin/cli/entra-invite.1"
done

finish
