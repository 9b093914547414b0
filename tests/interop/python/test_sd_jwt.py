"""SD-JWT VC: issued, presented and verified by the reference implementation and by openvc-core, and by ours."""

import base64
import json
import time
import unittest

import openvc_core
import reference_sd_jwt as reference
from knack import NOT_VERIFIED, Home, cases, expand

RUST = "urn:knackmesh:onet:43232402:rust"
SQL = "http://data.europa.eu/esco/skill/598de5b0-5b58-4ea7-8058-a4bc4d18c742"
ASKED = {"challenge": "n-0S6_WzA2Mj", "domain": "https://verifier.example"}
OTHERS = [("nonce", {**ASKED, "challenge": "n-other"}), ("audience", {**ASKED, "domain": "https://other.example"})]

issuer, verifier = Home(), Home()
_, strangers_did = reference.new_key("EdDSA")


def issued_by_ours(algorithm, did, *args):
    command = ["--format", "sd-jwt", "--alg", algorithm, "--skill", RUST, "--skill", SQL, "--level", "4", *args]
    return issuer.issue(did, *command)


def issued_by_theirs(algorithm, did, holder, **claims):
    key, issuers_did = reference.new_key(algorithm)
    skills = [reference.SDObj({"type": ["Alignment"], "targetUrl": skill}) for skill in (RUST, SQL)]
    claims = {
        "iat": int(time.time()),
        "vct": "https://badges.example/achievement",
        reference.SDObj("sub"): did,
        "achievement": {reference.SDObj("name"): "Databases I", "alignment": skills},
        "result": [{"value": "4"}],
        **claims,
    }
    return reference.issue(claims, key, issuers_did, holder, algorithm)


def issuer_key(token):
    header = token.split(".")[0]
    return openvc_core.key_of(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def skills_of(claims):
    return [alignment["targetUrl"] for alignment in claims["achievement"]["alignment"]]


def ours_verify(token, asked):
    return verifier.verify(token, "--challenge", asked["challenge"], "--domain", asked["domain"])


def shown(side, algorithm):
    """A presentation by the reference implementation of a credential that a side issued, of which it shows one skill."""
    holder, did = reference.new_key(algorithm)
    credential = issued_by_ours(algorithm, did) if side == "ours" else issued_by_theirs(algorithm, did, holder)
    only_rust = {"achievement": {"alignment": [True, False]}}
    return did, reference.present(credential, only_rust, holder, algorithm=algorithm, **ASKED)


SHOWN = [(f"{side}, {algorithm}", *shown(side, algorithm)) for side in ("ours", "theirs") for algorithm in reference.KINDS]
TAMPERED = [
    (f"{label}: {name}", text)
    for label, _, presentation in SHOWN
    for name, text in verifier.tampered(presentation, strangers_did).items()
]


@expand
class Reference(unittest.TestCase):
    @cases(SHOWN)
    def both_verify_what_was_chosen_of(self, label, did, presentation):
        claims = reference.verify(presentation, issuer_key(presentation), **ASKED)
        self.assertEqual(skills_of(claims), [RUST])
        self.assertNotIn("sub", claims)
        self.assertNotIn("name", claims["achievement"])
        status, output = ours_verify(presentation, ASKED)
        self.assertEqual(status, 0, output)
        self.assertEqual(output["presentation"]["holder"], did)

    @cases([(f"{name} of {label}", asked, presentation) for name, asked in OTHERS for label, _, presentation in SHOWN])
    def both_refuse_another(self, _, asked, presentation):
        with self.assertRaises(Exception):
            reference.verify(presentation, issuer_key(presentation), **asked)
        self.assertEqual(ours_verify(presentation, asked)[0], NOT_VERIFIED)

    @cases(SHOWN)
    def both_refuse_without_key_binding(self, label, did, presentation):
        unbound = presentation[: presentation.rindex("~") + 1]
        with self.assertRaises(Exception):
            reference.verify(unbound, issuer_key(unbound), **ASKED)
        self.assertEqual(ours_verify(unbound, ASKED)[0], NOT_VERIFIED)

    @cases(TAMPERED)
    def both_refuse_tampered(self, label, text):
        with self.assertRaises(Exception):
            reference.verify(text, issuer_key(text), **ASKED)
        self.assertEqual(ours_verify(text, ASKED)[0], NOT_VERIFIED)

    def test_theirs_take_every_key_binding_for_es256(self):
        label, _, presentation = SHOWN[0]
        self.assertIn("EdDSA", label)
        with self.assertRaises(Exception):
            reference.verify(presentation, issuer_key(presentation), verifier=reference.SDJWTVerifier, **ASKED)

    def test_theirs_do_not_check_whether_a_credential_has_ended(self):
        holder, did = reference.new_key("ES256")
        credential = issued_by_theirs("ES256", did, holder, exp=1_770_000_000)
        reference.verify(credential, issuer_key(credential))
        self.assertEqual(verifier.verify(credential)[0], NOT_VERIFIED)


@expand
class Openvc(unittest.TestCase):
    @cases(SHOWN)
    def verifies(self, label, did, presentation):
        claims = openvc_core.verify_sd_jwt(presentation, issuer_jwk=issuer_key(presentation), **ASKED)
        self.assertEqual(skills_of(claims), [RUST])

    @cases(TAMPERED)
    def refuses_tampered(self, label, text):
        with self.assertRaises(Exception):
            openvc_core.verify_sd_jwt(text, issuer_jwk=issuer_key(text), **ASKED)

    @cases([("EdDSA",), ("ES256",)])
    def both_verify_a_presentation_of_theirs_of_ours(self, algorithm):
        holder, did = openvc_core.new_key(algorithm)
        presentation = openvc_core.present_sd_jwt(issued_by_ours(algorithm, did), holder, **ASKED)
        claims = openvc_core.verify_sd_jwt(presentation, issuer_jwk=issuer_key(presentation), **ASKED)
        self.assertEqual(skills_of(claims), [RUST, SQL])
        self.assertEqual(claims["sub"], did)
        status, output = ours_verify(presentation, ASKED)
        self.assertEqual(status, 0, output)

    @cases([("EdDSA",), ("ES256",)])
    def both_verify_what_theirs_issue(self, algorithm):
        (key, did), (holder, holders_did) = openvc_core.new_key(algorithm), openvc_core.new_key(algorithm)
        claims = {"vct": "https://badges.example/achievement", "sub": holders_did, "name": "Ada"}
        credential = openvc_core.issue_sd_jwt(claims, ["sub", "name"], key, did, holder)
        presentation = openvc_core.present_sd_jwt(credential, holder, **ASKED)
        claims = openvc_core.verify_sd_jwt(presentation, issuer_jwk=issuer_key(presentation), **ASKED)
        self.assertEqual(claims["name"], "Ada")
        status, output = ours_verify(presentation, ASKED)
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
