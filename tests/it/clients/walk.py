"""Walks every call of the package `Crowd` that reads, logs somebody in or writes, apart from single sign-on sessions.

    walk.py URL APPLICATION PASSWORD

Prints one JSON object: what each call gave, by its name. `"None"` in the package's documentation means that a call failed, so
it is `null` here. What it raised stands as `{"raised": MESSAGE}`.
"""

import json
import sys

from crowd import CrowdServer

ODD = "d+e&f/g%h\"i'j"
BAR = "caf\u00e9 & bar"

url, application, password = sys.argv[1:]
crowd = CrowdServer(url, application, password, timeout=30)
stranger = CrowdServer(url, application, password + "x", timeout=30)
results = {}


def step(name, call):
    assert name not in results, name
    try:
        results[name] = call()
    except Exception as fault:
        results[name] = {"raised": f"{type(fault).__name__}: {fault}"}


def user(entity):
    """What a user is for the caller, without addresses of the server."""
    if entity is None:
        return None
    wanted = ["name", "first-name", "last-name", "display-name", "email", "active"]
    told = {name: entity.get(name) for name in wanted}
    told["has key"] = bool(entity.get("key"))
    return told


def found(answer, kind):
    """What a search gave: whole users, or groups with what they are for."""
    if answer is None:
        return None
    if kind == "users":
        return sorted((user(it) for it in answer["users"]), key=lambda it: it["name"])
    return sorted(it["name"] + ": " + it["description"] for it in answer["groups"])


def names(answer):
    return None if answer is None else sorted(answer)


def reads():
    step("auth_ping", crowd.auth_ping)
    step("get_cookie_conf", lambda: sorted(crowd.get_cookie_conf()))
    for name in ["ada", "ADA", "carl", "j\u00fcrgen", ODD, "nobody", "", "ad*", "../user"]:
        step(f"get_user {name}", lambda: user(crowd.get_user(name)))
        step(f"user_exists {name}", lambda: crowd.user_exists(name))
    step("get_user attributes", lambda: crowd.get_user("ada")["attributes"]["attributes"])
    for name in ["ada", "Ben", ODD, "nobody"]:
        step(f"get_groups {name}", lambda: names(crowd.get_groups(name)))
        step(f"get_nested_groups {name}", lambda: names(crowd.get_nested_groups(name)))
    for name in ["all", "LEADS", BAR, "empty", "nothing"]:
        step(f"get_nested_group_users {name}", lambda: names(crowd.get_nested_group_users(name)))
    step("get_memberships", crowd.get_memberships)
    searches = [
        ("user", "name", "a"),
        ("user", "email", "ada@example.com"),
        ("user", "email", "EXAMPLE"),
        ("user", "firstName", "J\u00dcR"),
        ("user", "lastName", "<sons>"),
        ("user", "displayName", "lovelace"),
        ("user", "name", ODD),
        ("user", "name", "*"),
        ("user", "name", "nobody"),
        ("group", "name", "a"),
        ("group", "name", BAR),
    ]
    for kind, field, text in searches:
        step(f"search {kind} {field} {text}", lambda: found(crowd.search(kind, field, text), kind + "s"))
    pages = [crowd.search("user", "name", "", at, 2) for at in range(0, 8, 2)]
    step("search in pages", lambda: [sorted(it["name"] for it in page["users"]) for page in pages])


def logins():
    for name, word in [
        ("ada", "right"),
        ("ADA", "right"),
        ("ada", "wrong"),
        ("ada", ""),
        ("carl", "right"),
        (ODD, "right"),
        ("nobody", "right"),
        ("j\u00fcrgen", "p\u00e4ss \"word\"\\ \u20ac"),
    ]:
        step(f"auth_user {name} {word}", lambda: user(crowd.auth_user(name, word)))


def strangers():
    step("stranger auth_ping", stranger.auth_ping)
    step("stranger get_user", lambda: stranger.get_user("ada"))
    step("stranger auth_user", lambda: stranger.auth_user("ada", "right"))
    step("stranger get_memberships", stranger.get_memberships)


def writes():
    new = {"password": "x", "email": "x@example.com"}
    calls = {
        "add_user": lambda **more: crowd.add_user("new", **new, **more),
        "set_user_attribute": lambda **more: crowd.set_user_attribute("ada", "a", "b", **more),
        "create_group": lambda **more: crowd.create_group("new", **more),
        "remove_group": lambda **more: crowd.remove_group("all", **more),
        "update_group": lambda **more: crowd.update_group("all", {"description": "x"}, **more),
        "add_child_group": lambda **more: crowd.add_child_group("empty", "all", **more),
        "remove_child_group": lambda **more: crowd.remove_child_group("staff", "all", **more),
        "add_user_to_group": lambda **more: crowd.add_user_to_group("ada", "empty", **more),
        "remove_user_from_group": lambda **more: crowd.remove_user_from_group("ada", "leads", **more),
        "change_password": lambda **more: crowd.change_password("ada", "x", **more),
    }
    for name, call in calls.items():
        step(name, call)
        step(name + " raising", lambda: call(raise_on_error=True))
    step("set_active", lambda: crowd.set_active("ada", False))
    step("send_password_reset_link", lambda: crowd.send_password_reset_link("ada"))


reads()
logins()
strangers()
writes()
print(json.dumps(results))
