"""CI hosts played over loopback: as much of their APIs as a run of ours may use, and their bad days."""

import json
import re
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

TOKEN = "ghs_0123456789abcdefghijABCDEFGHIJ"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def served(app):
    """The base URL of an app on a loopback port."""
    server = make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Refused(Exception):
    def __init__(self, status, message, headers=()):
        self.status, self.message, self.headers = status, message, list(headers)


class Host:
    """A WSGI app with routes; every call is kept in ``calls`` as verb, path, body."""

    prefix = ""
    routes = ()

    def __init__(self):
        self.calls = []
        self.denied = {}  # a word in the path: the permission that is missing for writes
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(self.prefix)
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        with self.lock:
            status, body, headers = self.answer(method, path, query, json.loads(raw) if raw else None, environ)
        start_response(f"{status} x", [("content-type", "application/json"), *headers])
        return [json.dumps(body).encode() if body is not None else b""]

    def answer(self, method, path, query, body, environ):
        self.calls.append((method, path, body))
        try:
            self.admit(method, path, environ)
            for verb, pattern, name in self.routes:
                if verb == method and (found := re.fullmatch(pattern, path)):
                    answer = getattr(self, name)(*found.groups(), query=query, body=body)
                    return (200 if method in ("GET", "PATCH", "PUT") else 201, answer, [])
            raise Refused(404, "Not Found")
        except Refused as refusal:
            return refusal.status, {"message": refusal.message}, refusal.headers

    def admit(self, method, path, environ):
        for word, permission in self.denied.items():
            if word in path and (method != "GET" or permission.endswith("read")):
                headers = [("x-accepted-github-permissions", permission)] if "=" in permission else []
                raise Refused(403, "Resource not accessible by integration", headers)

    def writes(self):
        """What was written, as verb and path."""
        return [(method, path) for method, path, _ in self.calls if method != "GET"]

    def forget(self):
        self.calls.clear()

    def _page(self, entries, query):
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        return entries[(page - 1) * size : page * size]


REPO = "/repos/acme/crm"


class GitHub(Host):
    """Comments, issues, statuses, check runs, pull requests and git data of one repository."""

    routes = (
        ("GET", REPO + r"/issues/(\d+)/comments", "list_comments"),
        ("POST", REPO + r"/issues/(\d+)/comments", "add_comment"),
        ("GET", REPO + r"/issues/comments/(\d+)", "get_comment"),
        ("PATCH", REPO + r"/issues/comments/(\d+)", "edit_comment"),
        ("DELETE", REPO + r"/issues/comments/(\d+)", "delete_comment"),
        ("POST", REPO + r"/statuses/(\w+)", "add_status"),
        ("POST", REPO + r"/check-runs", "add_check"),
        ("GET", REPO + r"/commits/(\w+)/check-runs", "list_checks"),
        ("GET", REPO + r"/commits/(\w+)/pulls", "list_merged"),
        ("GET", REPO + r"/issues", "list_issues"),
        ("POST", REPO + r"/issues", "add_issue"),
        ("GET", REPO + r"/issues/(\d+)", "get_issue"),
        ("PATCH", REPO + r"/issues/(\d+)", "edit_issue"),
        ("GET", REPO + r"/pulls", "list_pulls"),
        ("POST", REPO + r"/pulls", "add_pull"),
        ("GET", REPO + r"/pulls/(\d+)", "get_pull"),
        ("PATCH", REPO + r"/pulls/(\d+)", "edit_pull"),
        ("GET", REPO + r"/git/ref/heads/(.+)", "get_ref"),
        ("POST", REPO + r"/git/refs", "add_ref"),
        ("PATCH", REPO + r"/git/refs/heads/(.+)", "move_ref"),
        ("GET", REPO + r"/git/commits/(\w+)", "get_commit"),
        ("POST", REPO + r"/git/commits", "add_commit"),
        ("POST", REPO + r"/git/trees", "add_tree"),
    )

    def __init__(self):
        super().__init__()
        self.comments, self.issues, self.statuses, self.checks = {}, {}, [], []
        self.merged = {}  # by merge commit: pull requests
        self.pulls = {}
        self.refs = {"main": "c0"}
        self.commits = {"c0": {"sha": "c0", "tree": {"sha": "t0"}, "parents": [], "message": "start"}}
        self.trees = {"t0": {}}
        self.author = {"login": "github-actions[bot]", "type": "Bot"}
        self.longest = 65_536
        self.keeps_old_over = None  # an update with more bytes than that answers 200 and changes nothing
        self.raced = 0  # so many moves of a branch are refused because somebody else moved it first
        self.numbers = iter(range(101, 100_000))

    def admit(self, method, path, environ):
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {TOKEN}":
            raise Refused(401, "Bad credentials")
        super().admit(method, path, environ)

    def _checked(self, body):
        if len(body) > self.longest:
            raise Refused(422, f"Body is too long (maximum is {self.longest} characters)")
        return body

    def list_comments(self, number, query, body):
        return self._page([one for one in self.comments.values() if one["issue"] == int(number)], query)

    def add_comment(self, number, query, body):
        one = {"id": next(self.numbers), "issue": int(number), "body": self._checked(body["body"]), "user": self.author}
        self.comments[one["id"]] = one
        return one

    def get_comment(self, number, query, body):
        return self.comments[int(number)]

    def edit_comment(self, number, query, body):
        return self._edited(self.comments[int(number)], body)

    def _edited(self, one, body):
        if "body" in body:
            text = self._checked(body["body"])
            if self.keeps_old_over is not None and len(text.encode()) > self.keeps_old_over:
                body = {name: value for name, value in body.items() if name != "body"}
        one.update(body)
        return one

    def delete_comment(self, number, query, body):
        del self.comments[int(number)]

    def add_status(self, sha, query, body):
        assert body["state"] in ("success", "failure", "error", "pending")
        assert len(body["description"]) <= 140
        self.statuses.append((sha, body["context"], body["state"], body["description"]))
        return body

    def add_check(self, query, body):
        assert len(body["output"]["summary"]) <= 65_535
        one = {"id": next(self.numbers), "app": {"slug": "github-actions"}, **body}
        self.checks.append(one)
        return one

    def list_checks(self, sha, query, body):
        found = [one for one in self.checks if one["head_sha"] == sha and one["name"] == query.get("check_name")]
        return {"total_count": len(found), "check_runs": self._page(found, query)}

    def list_merged(self, sha, query, body):
        return self.merged.get(sha, [])

    def list_issues(self, query, body):
        assert query["state"] == "all"
        found = [one for one in self.issues.values() if query["labels"] in one["labels"]]
        return self._page([{**one, "labels": [{"name": name} for name in one["labels"]]} for one in found], query)

    def add_issue(self, query, body):
        number = next(self.numbers)
        self._checked(body["body"])
        self.issues[number] = {"number": number, "state": "open", "user": self.author, **body}
        return self.issues[number]

    def get_issue(self, number, query, body):
        return self.issues[int(number)]

    def edit_issue(self, number, query, body):
        return self._edited(self.issues[int(number)], body)

    def list_pulls(self, query, body):
        return [
            one
            for one in self.pulls.values()
            if one["state"] == "open" and query["head"] == f"acme:{one['head']}" and query["base"] == one["base"]
        ]

    def add_pull(self, query, body):
        number = next(self.numbers)
        self.pulls[number] = {"number": number, "state": "open", "user": self.author, **body}
        return self.pulls[number]

    def get_pull(self, number, query, body):
        return self.pulls[int(number)]

    def edit_pull(self, number, query, body):
        return self._edited(self.pulls[int(number)], body)

    def get_ref(self, name, query, body):
        if name not in self.refs:
            raise Refused(404, "Not Found")
        return {"ref": f"refs/heads/{name}", "object": {"sha": self.refs[name]}}

    def add_ref(self, query, body):
        name = body["ref"].removeprefix("refs/heads/")
        if name in self.refs:
            raise Refused(422, "Reference already exists")
        self.refs[name] = body["sha"]
        return body

    def move_ref(self, name, query, body):
        if name not in self.refs:
            raise Refused(422, "Reference does not exist")
        if self.raced:
            self.raced -= 1
            theirs = {"message": "theirs", "tree": "t0", "parents": [self.refs[name]]}
            self.refs[name] = self.add_commit({}, theirs)["sha"]
        if not body.get("force") and self.refs[name] not in self.commits[body["sha"]]["parents"]:
            raise Refused(422, "Update is not a fast forward")
        self.refs[name] = body["sha"]
        return body

    def get_commit(self, sha, query, body):
        return self.commits[sha]

    def add_commit(self, query, body):
        sha = f"c{len(self.commits)}"
        self.commits[sha] = {**body, "sha": sha, "tree": {"sha": body["tree"]}}
        return self.commits[sha]

    def add_tree(self, query, body):
        files = dict(self.trees[body["base_tree"]])
        for entry in body["tree"]:
            if "content" in entry:
                files[entry["path"]] = entry["content"]
            else:
                files.pop(entry["path"], None)
        sha = next((sha for sha, known in self.trees.items() if known == files), f"t{len(self.trees)}")
        self.trees[sha] = files
        return {"sha": sha}

    def files(self, branch):
        """What is committed on a branch."""
        return self.trees[self.commits[self.refs[branch]]["tree"]["sha"]]


class GitLab(Host):
    """Notes, issues, commits and merge requests of one project."""

    prefix = "/api/v4"
    routes = (
        ("GET", r"/user", "get_user"),
        ("GET", r"/projects/5/merge_requests/(\d+)/notes", "list_notes"),
        ("POST", r"/projects/5/merge_requests/(\d+)/notes", "add_note"),
        ("PUT", r"/projects/5/merge_requests/\d+/notes/(\d+)", "edit_note"),
        ("GET", r"/projects/5/issues", "list_issues"),
        ("POST", r"/projects/5/issues", "add_issue"),
        ("PUT", r"/projects/5/issues/(\d+)", "edit_issue"),
        ("POST", r"/projects/5/issues/(\d+)/notes", "add_note"),
        ("POST", r"/projects/5/repository/commits", "add_commit"),
        ("GET", r"/projects/5/merge_requests", "list_requests"),
        ("POST", r"/projects/5/merge_requests", "add_request"),
        ("PUT", r"/projects/5/merge_requests/(\d+)", "edit_request"),
    )

    def __init__(self):
        super().__init__()
        self.notes, self.issues, self.requests, self.branches = {}, {}, {}, {"main": {}}
        self.numbers = iter(range(1, 1000))

    def admit(self, method, path, environ):
        if environ.get("HTTP_PRIVATE_TOKEN") != TOKEN:
            raise Refused(401, "401 Unauthorized")
        super().admit(method, path, environ)

    def get_user(self, query, body):
        return {"id": 9}

    def list_notes(self, number, query, body):
        return self._page(list(self.notes.values()), query)

    def add_note(self, number, query, body):
        one = {"id": next(self.numbers), "author": {"id": 9}, **body}
        self.notes[one["id"]] = one
        return one

    def edit_note(self, number, query, body):
        self.notes[int(number)].update(body)
        return self.notes[int(number)]

    def list_issues(self, query, body):
        return self._page(list(self.issues.values()), query)

    def add_issue(self, query, body):
        number = next(self.numbers)
        self.issues[number] = {"iid": number, "state": "opened", "author": {"id": 9}, **body}
        return self.issues[number]

    def edit_issue(self, number, query, body):
        event = body.pop("state_event", "")
        self.issues[int(number)].update(body)
        if event:
            self.issues[int(number)]["state"] = {"close": "closed", "reopen": "opened"}[event]
        return self.issues[int(number)]

    def add_commit(self, query, body):
        """Files onto the end of a branch, or with `force` onto a new one from another branch's end."""
        start = body.get("start_branch", body["branch"])
        if body["branch"] in self.branches and "start_branch" in body and not body.get("force"):
            raise Refused(400, f"A branch called '{body['branch']}' already exists.")
        files = dict(self.branches[start])
        for action in body["actions"]:
            there = action["file_path"] in files
            if there == (action["action"] == "create"):
                raise Refused(
                    400, "A file with this name already exists" if there else "A file with this name doesn't exist"
                )
            files[action["file_path"]] = action.get("content")
        self.branches[body["branch"]] = files
        return {"id": "x"}

    def list_requests(self, query, body):
        ends = {"opened": "opened"}[query["state"]], query["source_branch"], query["target_branch"]
        return [
            one for one in self.requests.values() if (one["state"], one["source_branch"], one["target_branch"]) == ends
        ]

    def add_request(self, query, body):
        if body["source_branch"] not in self.branches:
            raise Refused(400, "source_branch does not exist")
        number = next(self.numbers)
        self.requests[number] = {"iid": number, "state": "opened", "author": {"id": 9}, **body}
        return self.requests[number]

    def edit_request(self, number, query, body):
        one = self.requests[int(number)]
        closes = body.pop("state_event", "") == "close"
        one.update(body, **({"state": "closed"} if closes else {}))
        return one


class Bitbucket(Host):
    """Code Insights reports."""

    prefix = "/2.0"
    routes = (
        ("DELETE", r"/repositories/acme/crm/commit/(\w+)/reports/([^/]+)", "delete_report"),
        ("PUT", r"/repositories/acme/crm/commit/(\w+)/reports/([^/]+)", "put_report"),
        ("POST", r"/repositories/acme/crm/commit/(\w+)/reports/([^/]+)/annotations", "add_annotations"),
    )

    def __init__(self):
        super().__init__()
        self.reports = {}

    def delete_report(self, commit, name, query, body):
        if (commit, name) not in self.reports:
            raise Refused(404, "Not Found")
        del self.reports[commit, name]

    def put_report(self, commit, name, query, body):
        self.reports[commit, name] = {**body, "annotations": []}
        return body

    def add_annotations(self, commit, name, query, body):
        assert len(body) <= 100
        self.reports[commit, name]["annotations"] += body
        return body


class Webhook(Host):
    """Whatever is posted to it."""

    routes = (("POST", r"/secret-path", "take"),)

    def __init__(self):
        super().__init__()
        self.status = 200

    def take(self, query, body):
        if self.status != 200:
            raise Refused(self.status, "no")
        return {}
