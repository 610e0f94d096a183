package bundle

// readme explains a bundle to whoever opens it without a program at hand.
const readme = `This is an evidence bundle: a part of the history of a client portal, with what is needed to check it
offline. Start with report.html (or report.pdf), which says in plain words what happened.

To check it, run:

    atrium-verify bundle.zip --keys KEYS

KEYS is a file with the public keys of the portal's logs. The portal publishes them at /.well-known/atrium-log-keys;
a witness or somebody else you trust may have them too. They are not in here on purpose: a bundle must not vouch for
itself.

What is inside

    report.html, report.pdf     what happened, for people
    logs/EPOCH/checkpoint       the signed seal: how many entries the firm's log has, and one hash over all of them
    logs/EPOCH/earlier/SIZE     proof that the log still begins with what it was when it had SIZE entries
    events/EPOCH/INDEX/         one entry of the log:
        0-leaf.bin                what was sealed: stream, revision, type, hashes of the two files below
        1-proof.tlog-proof        that the seal covers it (c2sp.org/tlog-proof)
        2-data.json               the event, exactly as stored; personal text in it is encrypted
        3-metadata.json           who, when and why, exactly as stored
        4-disclosed.json          personal text in the clear, with the salt that shows it is what was encrypted
    documents/SHA-256/NAME      files that an entry names by their SHA-256
    manifest                    SHA-256 of every file here, signed by the firm

Data or metadata may be missing: then they were withheld from this bundle, or removed by an entry that says so. The
leaf still shows that there was an event. Entries of other clients are not in here; the numbers between the ones
you see are theirs.

A seal shows that an entry existed when it was sealed, in this order and unchanged since. It cannot show that what
somebody entered was true.
`
