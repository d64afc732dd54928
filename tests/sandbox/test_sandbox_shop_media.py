"""Pictures in the shop: staged, uploaded, attached, described, ordered and taken away."""

from __future__ import annotations

import pytest
import requests

from hub.sandbox.pictures import INK, draw

STAGE = """mutation stage($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message }
} }"""
MEDIA = "id alt status ... on MediaImage { image { url width height } mediaErrors { code message } }"
PICTURES = f"mediaCount {{ count }} media(first: 20) {{ nodes {{ {MEDIA} }} }}"
ATTACH = f"""mutation attach($id: ID!, $media: [CreateMediaInput!]) {{
  productUpdate(product: {{id: $id}}, media: $media) {{ product {{ {PICTURES} }} userErrors {{ field message }} }}
}}"""
PRODUCT = f"query product($id: ID!) {{ product(id: $id) {{ {PICTURES} }} }}"
UPDATE = """mutation update($files: [FileUpdateInput!]!) { fileUpdate(files: $files) {
  files { id alt fileStatus } userErrors { code field message }
} }"""
PNG = draw("a new picture", INK["ROU"])


@pytest.fixture
def product(client):
    return client.data("{ products(first: 1) { nodes { id } } }")["products"]["nodes"][0]["id"]


@pytest.fixture
def media(client, product):
    """The product's pictures, as they are now."""
    return lambda: client.data(PRODUCT, id=product)["product"]["media"]["nodes"]


@pytest.fixture
def upload(client):
    """Stages and uploads bytes; the address that a file is made from."""

    def upload(content=PNG, name="0123456789abcdef.png", **more):
        entry = {"filename": name, "mimeType": "image/png", "resource": "IMAGE", **more}
        [target] = client.data(STAGE, input=[entry])["stagedUploadsCreate"]["stagedTargets"]
        if more.get("httpMethod") == "POST":
            form = {one["name"]: one["value"] for one in target["parameters"]}
            reply = requests.post(target["url"], data=form, files={"file": (name, content)}, timeout=10)
        else:
            reply = requests.put(target["url"], data=content, headers={"content-type": "image/png"}, timeout=10)
        return reply.status_code, target["resourceUrl"]

    return upload


def source(url, alt="Une photo"):
    return {"originalSource": url, "mediaContentType": "IMAGE", "alt": alt}


def codes(payload, name="userErrors"):
    return [error["code"] for error in payload[name]]


@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("POST", 201)])
def test_an_uploaded_picture_is_shown_with_its_product(client, product, media, upload, method, status):
    before = media()
    answered, url = upload(httpMethod=method)
    client.data(ATTACH, id=product, media=[source(url)])
    *others, new = media()
    shown = requests.get(new["image"]["url"], timeout=10)
    assert answered == status
    assert (others, new["alt"], new["status"]) == (before, "Une photo", "READY")
    assert (new["image"]["width"], new["image"]["height"]) == (48, 60)
    assert new["image"]["url"].partition("?")[0].endswith("/files/0123456789abcdef.png")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")


def test_what_makes_a_picture_answers_before_it_was_looked_at(client, product, upload):
    text = """mutation create($id: ID!, $media: [CreateMediaInput!]!) {
      productCreateMedia(productId: $id, media: $media) {
        media { id alt status ... on MediaImage { image { url } } } mediaUserErrors { code message }
      }
    }"""
    made = client.data(text, id=product, media=[source(upload()[1])])["productCreateMedia"]["media"]
    found = client.data("query node($id: ID!) { node(id: $id) { id ... on MediaImage { status } } }", id=made[0]["id"])
    assert (made[0]["status"], made[0]["image"], found["node"]["status"]) == ("UPLOADED", None, "READY")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"<html>not a picture</html>", "UNSUPPORTED_IMAGE_FILE_TYPE"), (None, "IMAGE_DOWNLOAD_FAILURE")],
)
def test_what_is_no_picture_has_failed(client, product, media, upload, content, code):
    url = upload(content)[1] if content else "https://example.com/nothing.png"
    client.data(ATTACH, id=product, media=[source(url)])
    new = media()[-1]
    update = client.data(UPDATE, files=[{"id": new["id"], "alt": "x"}])["fileUpdate"]
    assert (new["status"], new["image"], [error["code"] for error in new["mediaErrors"]]) == ("FAILED", None, [code])
    assert codes(update) == ["NON_READY_STATE"]


def test_an_upload_without_its_signature_or_of_another_size_is_refused(client, sandbox, upload):
    [target] = client.data(STAGE, input=[{"filename": "a.png", "mimeType": "image/png", "resource": "IMAGE"}])[
        "stagedUploadsCreate"
    ]["stagedTargets"]
    unsigned = requests.put(target["url"].partition("?")[0], data=PNG, timeout=10)
    assert (unsigned.status_code, upload(fileSize="3")[0]) == (403, 403)
    assert "SignatureDoesNotMatch" in unsigned.text
    assert sandbox.retailer.ledger.writes("shop")[-1].status == 403


def test_a_type_that_is_no_picture_gets_no_place(client):
    entry = {"filename": "a.pdf", "mimeType": "application/pdf", "resource": "IMAGE"}
    payload = client.data(STAGE, input=[entry])["stagedUploadsCreate"]
    assert (payload["stagedTargets"], payload["userErrors"][0]["field"]) == (None, ["input", "0", "mimeType"])


def test_a_file_of_the_same_name_gets_another_one(client, product, media, upload):
    client.data(ATTACH, id=product, media=[source(upload()[1]), source(upload()[1])])
    names = [node["image"]["url"].partition("?")[0].rpartition("/")[2] for node in media()[-2:]]
    assert names[0] == "0123456789abcdef.png"
    assert names[1].startswith("0123456789abcdef_")


def test_a_file_is_made_first_and_shown_later(client, product, media, upload):
    text = """mutation make($files: [FileCreateInput!]!) { fileCreate(files: $files) {
      files { id fileStatus alt } userErrors { code message }
    } }"""
    file = {"originalSource": upload()[1], "contentType": "IMAGE", "alt": "Une photo"}
    [made] = client.data(text, files=[file])["fileCreate"]["files"]
    before = [node["id"] for node in media()]
    client.data(UPDATE, files=[{"id": made["id"], "referencesToAdd": [product]}])
    shown = [node["id"] for node in media()]
    client.data(UPDATE, files=[{"id": made["id"], "referencesToRemove": [product]}])
    listed = client.data('{ files(first: 5, query: "filename:0123456789abcdef.png") { nodes { id alt fileStatus } } }')
    assert shown == [*before, made["id"]]
    assert [node["id"] for node in media()] == before
    assert [node["id"] for node in listed["files"]["nodes"]] == [made["id"]]


def test_alt_texts_and_order_are_changed(client, product, media):
    first, *rest = [node["id"] for node in media()]
    text = """mutation order($id: ID!, $moves: [MoveInput!]!) { productReorderMedia(id: $id, moves: $moves) {
      job { id done } mediaUserErrors { code message }
    } }"""
    moves = [{"id": first, "newPosition": str(len(rest))}]
    wrong = client.data(text, id=product, moves=[{"id": "gid://shopify/MediaImage/1", "newPosition": "0"}])
    client.data(text, id=product, moves=moves)
    client.data(UPDATE, files=[{"id": first, "alt": "Autre"}])
    assert [node["id"] for node in media()] == [*rest, first]
    assert media()[-1]["alt"] == "Autre"
    assert codes(wrong["productReorderMedia"], "mediaUserErrors") == ["MEDIA_DOES_NOT_EXIST_ON_PRODUCT"]


def test_pictures_are_taken_off_with_their_files(client, product, media):
    delete = """mutation delete($id: ID!, $ids: [ID!]!) { productDeleteMedia(productId: $id, mediaIds: $ids) {
      deletedMediaIds mediaUserErrors { code message } product { mediaCount { count } }
    } }"""
    files = "mutation gone($ids: [ID!]!) { fileDelete(fileIds: $ids) { deletedFileIds userErrors { code message } } }"
    first, second, *rest = [node["id"] for node in media()]
    one = client.data(delete, id=product, ids=[first])["productDeleteMedia"]
    two = client.data(files, ids=[second])["fileDelete"]
    again = client.data(files, ids=[second])["fileDelete"]
    assert (one["deletedMediaIds"], two["deletedFileIds"]) == ([first], [second])
    assert [node["id"] for node in media()] == rest
    assert codes(again) == ["FILE_DOES_NOT_EXIST"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "gid://shopify/MediaImage/1"}, "FILE_DOES_NOT_EXIST"),
        ({"referencesToAdd": ["gid://shopify/Product/1"]}, "REFERENCE_TARGET_DOES_NOT_EXIST"),
        ({"alt": "x" * 513}, "ALT_VALUE_LIMIT_EXCEEDED"),
    ],
)
def test_a_file_that_cannot_be_changed_says_why(client, media, change, code):
    before = media()
    payload = client.data(UPDATE, files=[{"id": before[0]["id"], **change}])["fileUpdate"]
    assert (codes(payload), media()) == ([code], before)
