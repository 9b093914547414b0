"""Data Integrity, presentations, status lists and tokens, by openvc-core and by ours."""

import json
import unittest

import openvc_core as theirs
from knack import NOT_VERIFIED, Home, cases, expand

issuer, verifier = Home(status_url="https://issuer.example/status"), Home()
key, did = theirs.new_key("EdDSA")
stranger, strangers_did = theirs.new_key("EdDSA")
SUITES = [(suite,) for suite in theirs.SUITES]


def ours(suite, *args):
    return issuer.issue(did, "--format", suite, "--skill", "rust", "--level", "3", "--expires", "2y", *args)


TAMPERED = [
    (f"{suite}: {name}", text)
    for [suite] in SUITES
    for name, text in verifier.tampered(ours(suite), strangers_did).items()
    # Theirs hash it in where it is missing; see below.
    if name != "the proof’s context, gone"
]


def plain(**members):
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:2f3a0000-0000-4000-8000-000000000001",
        "type": ["VerifiableCredential"],
        "issuer": did,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": did, "name": "Ada"},
        **members,
    }


def with_context(document):
    """The document with its contexts in the proof, where the standard wants them and openvc-core has left them out."""
    return {**document, "proof": {**document["proof"], "@context": document["@context"]}}


@expand
class Credentials(unittest.TestCase):
    @cases(SUITES)
    def theirs_verify_ours(self, suite):
        credential = json.loads(ours(suite))
        result = theirs.verify(credential)
        self.assertEqual((result.issuer, result.subject), (issuer.did, did))
        self.assertEqual(verifier.verify(credential)[0], 0)

    @cases(TAMPERED)
    def both_refuse_ours_tampered(self, name, text):
        with self.assertRaises(Exception):
            theirs.verify(json.loads(text))
        self.assertEqual(verifier.verify(text)[0], NOT_VERIFIED)

    def test_ours_verify_theirs_rdfc(self):
        credential = theirs.add_proof(plain(), key, "eddsa-rdfc-2022")
        self.assertEqual(verifier.verify(credential)[0], 0)
        credential["credentialSubject"]["name"] = "Eve"
        self.assertEqual(verifier.verify(credential)[0], NOT_VERIFIED)

    def test_theirs_hash_the_context_into_a_jcs_proof_and_leave_it_out(self):
        # vc-di-eddsa 3.3.1 (2): the contexts are a member of the proof. Theirs verify both, others what states them.
        credential = theirs.add_proof(plain(), key, "eddsa-jcs-2022")
        self.assertNotIn("@context", credential["proof"])
        theirs.verify(credential)
        self.assertEqual(verifier.verify(credential)[0], NOT_VERIFIED)
        theirs.verify(with_context(credential))
        self.assertEqual(verifier.verify(with_context(credential))[0], 0)


@expand
class Presentations(unittest.TestCase):
    ASKED = {"challenge": "c-3fc1", "domain": "verifier.example"}

    def present(self, suite):
        credential = with_context(theirs.add_proof(plain(), key, "eddsa-jcs-2022"))
        presentation = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": did,
            "verifiableCredential": [credential],
        }
        signed = theirs.add_proof(presentation, key, suite, proof_purpose="authentication", **self.ASKED)
        return with_context(signed) if suite == "eddsa-jcs-2022" else signed

    def ours_verify(self, presentation, asked):
        return verifier.verify(presentation, "--challenge", asked["challenge"], "--domain", asked["domain"])[0]

    @cases(SUITES)
    def ours_verify_theirs(self, suite):
        presentation = self.present(suite)
        theirs.verify_presentation(presentation, **self.ASKED)
        self.assertEqual(self.ours_verify(presentation, self.ASKED), 0)

    @cases([(f"{name}, {suite}", name, suite) for name in ("challenge", "domain") for suite in theirs.SUITES])
    def both_refuse_another(self, _, name, suite):
        presentation, asked = self.present(suite), {**self.ASKED, name: "other"}
        with self.assertRaises(Exception):
            theirs.verify_presentation(presentation, **asked)
        self.assertEqual(self.ours_verify(presentation, asked), NOT_VERIFIED)


@expand
class StatusLists(unittest.TestCase):
    @cases([("good", None), ("revoked", "revoke"), ("suspended", "suspend")])
    def both_see_ours_as(self, standing, command):
        credential = ours("eddsa-rdfc-2022", "--status")
        if command:
            issuer.succeed(command, issuer.file(credential))
        lists = issuer.status_lists()
        files = [option for text in lists.values() for option in ("--status-list", verifier.file(text))]
        status, output = verifier.verify(credential, *files)
        self.assertEqual(output["unrevoked"], "FAIL" if command else "PASS")
        self.assertEqual(status, NOT_VERIFIED if command else 0)
        if command:
            with self.assertRaisesRegex(Exception, "(?i)" + standing):
                theirs.verify(json.loads(credential), lists)
        else:
            theirs.verify(json.loads(credential), lists)

    @cases([("good", 6), ("revoked", 7)])
    def both_see_theirs_as(self, standing, index):
        url = "https://issuer.example/status/1"
        entry = theirs.status_entry(url, "revocation", index)
        credential = theirs.add_proof(plain(credentialStatus=entry), key, "eddsa-rdfc-2022")
        status_list = theirs.status_list(url, "revocation", [7], key, did)
        status, output = verifier.verify(credential, "--status-list", verifier.file(status_list))
        self.assertEqual(output["unrevoked"], "PASS" if standing == "good" else "FAIL")
        self.assertEqual(status, 0 if standing == "good" else NOT_VERIFIED)
        if standing == "good":
            theirs.verify(credential, {url: status_list})
        else:
            with self.assertRaisesRegex(Exception, "(?i)revoked"):
                theirs.verify(credential, {url: status_list})


class Tokens(unittest.TestCase):
    def test_theirs_do_not_know_vc_jwt_of_the_data_model_2(self):
        token = ours("vc-jwt")
        self.assertEqual(verifier.verify(token)[0], 0)
        with self.assertRaisesRegex(Exception, "no issuer"):
            theirs.verify(token)

    def test_ours_verify_a_token_of_theirs(self):
        token = theirs.vc_jwt(plain(), key)
        self.assertEqual(theirs.verify(token).format, "vc-jwt")
        status, output = verifier.verify(token)
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
