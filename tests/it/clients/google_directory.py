"""Reads users, groups and members with Google's own client, page by page, as an administrator who delegated that.

    google_directory.py URL SUBJECT <KEY

URL is the root of the API; KEY is the file of a service account. Prints one JSON object: what was listed, how many pages that
took, and what was refused.
"""

import json
import sys

from google.auth.exceptions import RefreshError
from google.oauth2 import service_account
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError

SCOPES = [
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
]

url, subject = sys.argv[1:]
key = json.load(sys.stdin)
document = json.loads(get_static_doc("admin", "directory_v1"))
document["rootUrl"] = url


def service(subject):
    credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES, subject=subject)
    return build_from_document(document, credentials=credentials)


def listed(collection, name, **parameters):
    """All objects of a listing, and the number of its pages."""
    found, pages = [], 0
    request = collection.list(**parameters)
    while request is not None:
        answer = request.execute()
        found += answer.get(name, [])
        pages += 1
        request = collection.list_next(request, answer)
    return found, pages


def refused(request):
    try:
        request.execute()
    except HttpError as error:
        return {"status": error.resp.status, "details": error.error_details}
    except RefreshError as error:
        return {"token": error.args}


def main():
    directory = service(subject)
    results = {"pages": {}}

    mask = "nextPageToken,users(id,primaryEmail,name/fullName,suspended,archived,aliases)"
    results["users"], results["pages"]["users"] = listed(
        directory.users(), "users", customer="my_customer", maxResults=500, fields=mask
    )
    results["domain"], results["pages"]["domain"] = listed(
        directory.users(), "users", domain="second.example", projection="full"
    )
    results["groups"], results["pages"]["groups"] = listed(directory.groups(), "groups", customer="my_customer")
    results["members"] = {}
    for group in results["groups"]:
        found, pages = listed(directory.members(), "members", groupKey=group["id"])
        if found:
            results["members"][group["email"]] = found
            results["pages"][group["email"]] = pages

    user = results["users"][0]
    results["same user"] = [
        directory.users().get(userKey=it).execute()["id"] == user["id"]
        for it in [user["id"], user["primaryEmail"], *user["aliases"]]
    ]
    results["missing user"] = refused(directory.users().get(userKey="nobody@example.com"))
    results["group for a user"] = refused(directory.users().get(userKey=results["groups"][0]["email"]))
    results["no selector"] = refused(directory.groups().list())
    results["no administrator"] = refused(service("0@example.com").groups().list(customer="my_customer"))
    results["nobody"] = refused(service("nobody@example.com").groups().list(customer="my_customer"))
    print(json.dumps(results))


main()
