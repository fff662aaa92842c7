'use strict';
// The certificates of the fault proxy: the simulator's own, and those that nobody may trust. Made once, with the
// openssl command, in the simulator's directory.

const childProcess = require('child_process');
const fs = require('fs');
const path = require('path');

function openssl(dir, args) {
    const { status, stderr } = childProcess.spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0)
        throw new Error(`openssl ${args[0]}: ${stderr}`);
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'];

/** Signed by the simulator's authority; from, to: as openssl ca takes them, in the past or not. */
function signed(dir, name, alternative, from, to) {
    fs.writeFileSync(path.join(dir, 'index.txt'), '');
    fs.writeFileSync(path.join(dir, `${name}.cnf`), `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nrand_serial=yes\n`
        + 'new_certs_dir=.\ndefault_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n'
        + `[leaf]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=${alternative}\n`);
    openssl(dir, ['req', '-new', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`]);
    openssl(dir, ['ca', '-batch', '-notext', '-config', `${name}.cnf`, '-extensions', 'leaf', '-cert', 'ca.pem',
        '-keyfile', 'ca.key', '-in', `${name}.csr`, '-out', `${name}.pem`, '-startdate', from, '-enddate', to]);
}

function certificates(dir) {
    const own = path.join(dir, 'wrong');
    fs.mkdirSync(own, { recursive: true, mode: 0o700 });
    for (const file of ['ca.pem', 'ca.key'])
        fs.copyFileSync(path.join(dir, file), path.join(own, file));
    if (!fs.existsSync(path.join(own, 'other-authority.pem'))) {
        signed(own, 'other-name', 'DNS:graph.example', '20200101000000Z', '20491231235959Z');
        signed(own, 'expired', 'DNS:localhost', '20200101000000Z', '20210101000000Z');
        signed(own, 'early', 'DNS:localhost', '20480101000000Z', '20490101000000Z');
        openssl(own, ['req', '-x509', ...KEY, '-keyout', 'other-authority.key', '-out', 'other-authority.pem',
            '-addext', 'subjectAltName=DNS:localhost']);
    }
    const pair = (base) => ({ key: fs.readFileSync(`${base}.key`), cert: fs.readFileSync(`${base}.pem`) });
    const made = { good: pair(path.join(dir, 'server')) };
    for (const name of ['other-name', 'expired', 'early', 'other-authority'])
        made[name] = pair(path.join(own, name));
    return made;
}

module.exports = { certificates };
