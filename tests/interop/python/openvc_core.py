"""openvc-core: Data Integrity, status lists, tokens and SD-JWT VC. Nothing is fetched."""

import json

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from openvc import Ed25519SigningKey, P256SigningKey, VerificationPolicy, verify_credential
from openvc.multibase import encode_multibase
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_jcs import EddsaJcsProofSuite
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.proof.vc_jwt import VcJwtProofSuite
from openvc.status.bitstring import new_bitstring, set_status_bit
from openvc.status.issue import build_status_list_credential, build_status_list_entry
from openvc.verify import default_resolver

from knack import VECTORS

CONTEXTS = {
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": json.loads(
        (VECTORS / "credential" / "contexts" / "open-badges-3.0.3.json").read_text()
    )
}
SUITES = {"eddsa-jcs-2022": EddsaJcsProofSuite, "eddsa-rdfc-2022": DataIntegrityProofSuite}


def new_key(algorithm):
    """A key, its did:key and the URL of the key there."""
    make, wrap, prefix = {
        "EdDSA": (ed25519.Ed25519PrivateKey.generate, Ed25519SigningKey, bytes([0xED, 0x01])),
        "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), P256SigningKey, bytes([0x80, 0x24])),
    }[algorithm]
    private = make()
    did = f"did:key:{encode_multibase(prefix + wrap(private, kid='_').public_key_raw())}"
    # The kid cannot be set afterwards.
    return wrap(private, kid=f"{did}#{did.removeprefix('did:key:')}"), did


def key_of(kid):
    """The public key that a DID URL names, as JWK."""
    did = kid.split("#")[0]
    [method] = [m for m in default_resolver().resolve(did).verification_methods if m.id == kid]
    return method.public_key_jwk


def add_proof(document, key, suite, **options):
    """`document` with a proof."""
    extra = {} if suite == "eddsa-jcs-2022" else {"extra_contexts": CONTEXTS}
    return SUITES[suite]().add_proof(document, signing_key=key, verification_method=key.kid, **options, **extra)


def verify(credential, status_lists=None, **policy):
    """What the library says of a credential; raises when it does not verify."""
    return verify_credential(
        credential,
        extra_contexts=CONTEXTS,
        resolve_status_list=status_lists.__getitem__ if status_lists else None,
        policy=VerificationPolicy(**policy),
    )


def verify_presentation(presentation, challenge, domain):
    """Raises when the proof of a presentation does not verify; the credentials in it are not looked at."""
    suite = presentation["proof"]["cryptosuite"]
    extra = {} if suite == "eddsa-jcs-2022" else {"extra_contexts": CONTEXTS}
    return SUITES[suite]().verify(
        presentation, expected_proof_purpose="authentication", expected_challenge=challenge, expected_domain=domain, **extra
    )


def status_list(url, purpose, indexes, key, did):
    """A status list of which the bits at `indexes` are set, signed by `key`."""
    bits = new_bitstring(131_072)
    for index in indexes:
        set_status_bit(bits, index, 1)
    unsigned = build_status_list_credential(id=url, issuer=did, bitstring=bits, status_purpose=purpose)
    return add_proof(unsigned, key, "eddsa-rdfc-2022")


def status_entry(url, purpose, index):
    """What a credential says of its status."""
    return build_status_list_entry(status_list_credential=url, index=index, status_purpose=purpose)


def vc_jwt(credential, key):
    """The credential as a token, in the way of the data model 1.1."""
    return VcJwtProofSuite().sign(credential, signing_key=key)


def present_sd_jwt(token, key, challenge, domain):
    """An SD-JWT VC with all the disclosures that it has, bound by its holder."""
    return SdJwtVcProofSuite().create_presentation(token, holder_key=key, nonce=challenge, audience=domain)


def issue_sd_jwt(claims, disclosable, key, did, holder):
    """An SD-JWT VC of `claims`, of which those at the top can be withheld."""
    return SdJwtVcProofSuite().issue(
        {"iss": did, **claims}, signing_key=key, disclosable=disclosable, holder_jwk=holder.public_jwk()
    )


def verify_sd_jwt(token, challenge, domain, issuer_jwk):
    """The claims that are disclosed; raises when the token or its key binding does not verify."""
    return (
        SdJwtVcProofSuite()
        .verify(token, public_key_jwk=issuer_jwk, nonce=challenge, audience=domain, require_key_binding=True)
        .claims
    )
