"""The dashboards and the API docs in headless Chromium, against a stand-in whose metrics the test decides.

The checks of values (`check_tiles_equal_scrape`) take any base URL, so that they also hold the pages of the real server
against its own scrape.
"""

import json
import os
import re
import time
from pathlib import Path

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from conftest import eventually
from web_stub import HOSTILE, Exposition, Stub, busy_server, history

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DUCKDB_API_BIN", ROOT / "build" / "duckdb-api")).parent
PAGES = ["dashboard.html", "dashboard2.html"]
DEADLINE = 60
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
]


@pytest.fixture(scope="module")
def local_stub():
    """What answers at http://localhost:8000 in the browser, whoever has that port."""
    server = Stub(BUILD / "src" / "web")
    yield server
    server.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory, local_stub):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    profile = f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"
    local = f"--host-resolver-rules=MAP localhost:8000 {local_stub.url.removeprefix('http://')}"
    for flag in [*FLAGS, profile, local]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def stub(browser):
    server = Stub(BUILD / "src" / "web")
    yield server
    browser.get("about:blank")
    server.close()


@pytest.fixture
def busy(stub):
    """Fixed metrics of a server that has been up for 100 seconds, so that every window covers its whole life."""
    now = time.time()
    stub.metrics = busy_server(now, now - 100).text()
    return stub


def console(browser):
    """What the page complained about. That a server without a history answers 404 is the browser's own remark."""
    messages = [entry["message"] for entry in browser.get_log("browser")]
    return [message for message in messages if not ("/metrics/history" in message and "404" in message)]


def wait_for(browser, what):
    return WebDriverWait(browser, DEADLINE, poll_frequency=0.1).until(lambda _: what())


def text_of(browser, selector):
    return browser.execute_script("const n = document.querySelector(arguments[0]); return n && n.textContent", selector)


def tile(browser, name, part="number"):
    return text_of(browser, f'[data-tile="{name}"] .tile-{part}')


def viewport(browser, width, height=900):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )


def state(browser):
    return text_of(browser, "#state-text")


def open_page(browser, url, page, expect="Connected"):
    browser.get("about:blank")
    console(browser)
    browser.get(f"{url}/{page}")
    wait_for(browser, lambda: state(browser) == expect)


def open_tab(browser, name):
    browser.find_element(By.ID, f"tab-{name}").click()
    wait_for(browser, lambda: browser.find_element(By.ID, f"panel-{name}").is_displayed())


# A second opinion on the scrape: read with Debian's own parser, computed here.


def samples(text):
    from prometheus_client.parser import text_string_to_metric_families

    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def families_known(text):
    """Names whose figure is a number: counters that are announced (no series yet is 0), gauges that have a value."""
    counters = re.findall(r"^# TYPE (\S+) counter$", text, re.MULTILINE)
    return {*counters, *(sample.name for sample in samples(text))}


def total(scrape, name, **wanted):
    return sum(s.value for s in scrape if s.name == name and all(re.fullmatch(v, s.labels.get(k, "")) for k, v in wanted.items()))


def quantile(scrape, name, q):
    buckets = {}
    for sample in scrape:
        if sample.name == f"{name}_bucket":
            bound = float(sample.labels["le"])
            buckets[bound] = buckets.get(bound, 0) + sample.value
    if not buckets.get(float("inf")):
        return None
    target, lower, below = q * buckets[float("inf")], 0, 0
    for bound in sorted(buckets)[:-1]:
        if buckets[bound] >= target:
            return lower + (bound - lower) * (target - below) / (buckets[bound] - below)
        lower, below = bound, buckets[bound]
    return lower


def as_count(value):
    return f"{value:,.0f}"


def as_seconds(value):
    if value is None:
        return "--"
    if round(value * 1e6) < 1000:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.1f} ms" if float(f"{value * 1e3:.1f}") < 1000 else f"{value:.2f} s"


def as_bytes(value):
    for unit in ["B", "KB", "MB", "GB", "TB"]:
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} PB"


COUNTS = {
    "requests": "duckdb_api_requests_total",
    "projects": "duckdb_projects_total",
    "buckets": "duckdb_buckets_total",
    "tables": "duckdb_tables_total",
    "imports": "duckdb_import_operations_total",
    "import-rows": "duckdb_import_rows_total",
    "exports": "duckdb_export_operations_total",
    "files": "duckdb_files_total",
    "uploads": "duckdb_files_uploads_total",
    "downloads": "duckdb_files_downloads_total",
    "s3-operations": "duckdb_s3_operations_total",
    "s3-presigned": "duckdb_s3_presign_requests_total",
    "snapshots": "duckdb_snapshots_total",
    "snapshots-restored": "duckdb_snapshots_restored_total",
    "snapshots-expired": "duckdb_snapshots_expired_total",
    "locks": "duckdb_table_locks_active",
    "write-queue": "duckdb_write_queue_depth",
    "cache-size": "duckdb_idempotency_cache_size",
    "cache-conflicts": "duckdb_idempotency_conflicts_total",
    "branches-total": "duckdb_branches_total",
    "cow": "duckdb_branch_cow_operations_total",
    "workspaces": "duckdb_workspaces_total",
    "pg-connections": "pgwire_connections_total",
    "pg-queries": "pgwire_queries_total",
    "grpc-requests": "duckdb_grpc_requests_total",
    "grpc-connections": "duckdb_grpc_connections_active",
    "schema": "duckdb_schema_operations_total",
    "shares": "duckdb_bucket_shares_total",
    "sharing": "duckdb_bucket_sharing_operations_total",
    "metadata-connections": "duckdb_metadata_connections_active",
    "metadata-queue": "duckdb_metadata_write_queue_depth",
}
PERCENTILES = {
    "metadata-p95": "duckdb_metadata_query_duration_seconds",
    "export-p95": "duckdb_export_duration_seconds",
    "lock-wait": "duckdb_table_lock_wait_seconds",
    "cow-p95": "duckdb_branch_cow_duration_seconds",
    "pg-p95": "pgwire_query_duration_seconds",
    "grpc-p95": "duckdb_grpc_request_duration_seconds",
}
SIZES = {
    "size": "duckdb_storage_size_bytes",
    "file-bytes": "duckdb_files_upload_bytes_total",
    "s3-in": "duckdb_s3_bytes_in_total",
    "s3-out": "duckdb_s3_bytes_out_total",
    "snapshots-size": "duckdb_snapshots_size_bytes",
}


def check_tiles_equal_scrape(browser, text):
    """Every tile of dashboard.html, shown since the start, against the scrape `text`."""
    scrape, known = samples(text), families_known(text)
    shown, expected = {}, {}
    for tiles, write in ((COUNTS, as_count), (SIZES, as_bytes)):
        for name, family in tiles.items():
            shown[name], expected[name] = tile(browser, name), write(total(scrape, family)) if family in known else "--"
    for name, family in PERCENTILES.items():
        shown[name], expected[name] = tile(browser, name), as_seconds(quantile(scrape, family, 0.95))
    assert shown == expected


def choose_window(browser, value):
    browser.find_element(By.CSS_SELECTOR, f'#window [data-value="{value}"]').click()


def test_tiles_equal_the_scrape(browser, busy):
    open_page(browser, busy.url, "dashboard.html")
    choose_window(browser, "start")
    check_tiles_equal_scrape(browser, busy.metrics)
    scrape = samples(busy.metrics)
    everything = total(scrape, "duckdb_api_requests_total")
    lost = total(scrape, "duckdb_api_requests_total", status_code="4..")
    broken = total(scrape, "duckdb_api_requests_total", status_code="5..")
    assert tile(browser, "error-rate") == f"{(lost + broken) / everything * 100:.1f}%"
    assert tile(browser, "error-rate", "sub") == f"4xx: {lost:.0f}, 5xx: {broken:.0f}"
    assert tile(browser, "requests", "sub") == "In flight: 5"
    assert text_of(browser, "#version") == "v0.1.0 / DuckDB 1.5.6"
    for label, q in (("P50 (Median)", 0.5), ("P90", 0.9), ("P95", 0.95), ("P99", 0.99)):
        shown = text_of(browser, f'[data-percentile="{label}"] .bar-value')
        assert shown == as_seconds(quantile(scrape, "duckdb_api_request_duration_seconds", q))
    assert tile(browser, "grpc-requests", "sub") == "3 commands"
    assert tile(browser, "schema-breakdown") == "add_column: 64"
    assert tile(browser, "cache-size", "sub") == "Hit rate: 10.0%"
    assert tile(browser, "pg-connections", "sub") == "Active: 7"
    assert not console(browser)


def test_sub_lines_equal_the_scrape(browser, busy):
    open_page(browser, busy.url, "dashboard.html")
    choose_window(browser, "start")
    scrape = samples(busy.metrics)

    def p95(name):
        return as_seconds(quantile(scrape, name, 0.95))

    expected = {
        "imports": f"{as_bytes(total(scrape, 'duckdb_import_bytes_total'))} imported",
        "import-rows": f"P95: {p95('duckdb_import_duration_seconds')}",
        "exports": f"{as_count(total(scrape, 'duckdb_export_rows_total'))} rows",
        "files": "4 in staging",
        "uploads": f"P95: {p95('duckdb_files_upload_duration_seconds')}",
        "file-bytes": f"Down: {as_bytes(total(scrape, 'duckdb_files_download_bytes_total'))}",
        "s3-operations": f"P95: {p95('duckdb_s3_operation_duration_seconds')}",
        "s3-presigned": "2 active uploads",
        "snapshots": "512 created",
        "snapshots-restored": f"Restore P95: {p95('duckdb_snapshot_restore_duration_seconds')}",
        "snapshots-size": f"Create P95: {p95('duckdb_snapshot_create_duration_seconds')}",
        "locks": f"{as_count(total(scrape, 'duckdb_table_lock_acquisitions_total'))} acquisitions",
        "write-queue": f"Wait P95: {p95('duckdb_write_queue_wait_seconds')}",
        "branches-total": "31 branch tables",
        "cow": "7.0 GB copied",
        "workspaces": "7 active sessions",
        "pg-queries": f"Errors: {total(scrape, 'pgwire_queries_total', status='error'):.0f}",
        "pg-p95": f"Auth P95: {p95('pgwire_auth_duration_seconds')}",
        "grpc-errors": "2 errors",
        "schema": f"P95: {p95('duckdb_schema_operation_duration_seconds')}",
        "shares": "27 links",
    }
    assert {name: tile(browser, name, "sub") for name in expected} == expected


def test_tabs_show_the_same_figures(browser, busy):
    open_page(browser, busy.url, "dashboard2.html")
    choose_window(browser, "start")
    scrape = samples(busy.metrics)
    assert tile(browser, "kpi-status") == "OK"
    assert tile(browser, "kpi-uptime") == "1m"
    assert tile(browser, "kpi-requests") == as_count(total(scrape, "duckdb_api_requests_total"))
    assert re.fullmatch(r"[\d.,]+/s", tile(browser, "kpi-requests", "sub"))
    assert tile(browser, "kpi-p95") == as_seconds(quantile(scrape, "duckdb_api_request_duration_seconds", 0.95))
    assert tile(browser, "kpi-storage") == as_bytes(total(scrape, "duckdb_storage_size_bytes"))
    assert tile(browser, "latency-p99") == as_seconds(quantile(scrape, "duckdb_api_request_duration_seconds", 0.99))
    open_tab(browser, "data")
    assert tile(browser, "imports-tab", "sub") == f"{as_count(total(scrape, 'duckdb_import_rows_total'))} rows"
    assert tile(browser, "shares-tab", "sub") == "27 links, 39 ops"
    open_tab(browser, "apis")
    assert tile(browser, "pg-sessions") == "7"
    assert tile(browser, "http-requests") == tile(browser, "kpi-requests")
    open_tab(browser, "operations")
    assert tile(browser, "snapshots") == "508"
    assert "queued" not in text_of(browser, "#panel-operations tbody").lower()
    assert not console(browser)


def test_badge_shows_while_there_are_server_errors(browser, stub):
    def metrics(broken):
        out = Exposition()
        out.add("duckdb_api_up", 1)
        out.add("duckdb_api_requests_total", 5, "counter", method="GET", endpoint="/health", status_code="200")
        out.add("duckdb_api_requests_total", broken, "counter", method="GET", endpoint="/health", status_code="500")
        return out.text()

    stub.metrics = metrics(0)
    open_page(browser, stub.url, "dashboard2.html")
    badge = browser.find_element(By.CSS_SELECTOR, "#tab-apis .badge")
    wait_for(browser, lambda: tile(browser, "kpi-requests") == "5")
    assert not badge.is_displayed()
    stub.metrics = metrics(2)
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, badge.is_displayed)
    assert "Problem" in text_of(browser, '[data-tile="kpi-error-rate"]')


def test_rates_and_percentiles_follow_the_window(browser, stub):
    start = time.time() - 40000
    taken = []

    def metrics(now):
        taken.append(now)
        out = Exposition()
        out.add("duckdb_api_start_time_seconds", start)
        out.add("duckdb_api_requests_total", 100000 + 50 * len(taken), "counter", method="GET", endpoint="/", status_code="200")
        out.histogram("duckdb_api_request_duration_seconds", [0.1, 1.0], 0, 0.5)
        slow, fast = 90000, 50 * len(taken)
        out.samples = [s for s in out.samples if not s[1].startswith("duckdb_api_request_duration_seconds")]
        for bound, value in (("0.1", fast), ("1.0", fast + slow), ("+Inf", fast + slow)):
            out.samples.append(("duckdb_api_request_duration_seconds", "duckdb_api_request_duration_seconds_bucket", {"le": bound}, value))
        return out.text()

    stub.metrics = metrics
    open_page(browser, stub.url, "dashboard2.html")
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, lambda: "/s" in (tile(browser, "kpi-requests", "sub") or "") and tile(browser, "kpi-p95") == "95.0 ms")
    choose_window(browser, "start")
    wait_for(browser, lambda: tile(browser, "kpi-p95") != "95.0 ms")
    assert tile(browser, "kpi-p95") == as_seconds(0.1 + 0.9 * (0.95 * (90000 + 50 * len(taken)) - 50 * len(taken)) / 90000)


@pytest.mark.parametrize("page", PAGES)
def test_hostile_labels_stay_text(browser, stub, page):
    out = busy_server(time.time(), time.time() - 100)
    out.add("duckdb_api_requests_total", 10**9, "counter", method=HOSTILE, endpoint=HOSTILE, status_code=HOSTILE)
    out.add("duckdb_table_lock_acquisitions_total", 10**9, "counter", project_id=HOSTILE, bucket="b", table="t")
    out.add("duckdb_storage_size_bytes", 1, type=HOSTILE)
    out.add("duckdb_schema_operations_total", 7, "counter", operation=HOSTILE, status="success")
    out.add("duckdb_disk_free_bytes", 7, path=HOSTILE)
    out.add("duckdb_pool_threads", 7, pool=HOSTILE)
    out.add("duckdb_api_service_info", 1, version=HOSTILE, duckdb_version=HOSTILE)
    out.samples.insert(0, ("duckdb_api_service_info", "duckdb_api_service_info", {"version": HOSTILE, "duckdb_version": HOSTILE}, 1))
    out.histogram("duckdb_api_request_duration_seconds", [1.0], 10**6, 1.0, method="GET", endpoint=HOSTILE)
    stub.metrics = out.text()
    open_page(browser, stub.url, page)
    if page == "dashboard2.html":
        for name in ("data", "operations", "details"):
            open_tab(browser, name)
    assert browser.title == "DuckDB Storage API: dashboard"
    assert browser.execute_script("return document.querySelectorAll('main img, main script, td td').length") == 0
    shown = browser.execute_script("return document.querySelector('[aria-label=\"Requests by Endpoint\"] tbody tr').textContent")
    assert HOSTILE in shown
    assert HOSTILE in text_of(browser, '[aria-label="Table Lock Activity"]')
    assert not console(browser)


@pytest.mark.parametrize("page", [*PAGES, "docs"])
@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
def test_pages_never_scroll_sideways(browser, busy, page, width):
    busy.openapi = API
    viewport(browser, width)
    try:
        if page == "docs":
            browser.get(f"{busy.url}/docs")
            wait_for(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "details.endpoint"))
            browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        else:
            open_page(browser, busy.url, page)
        for name in ("overview", "data", "apis", "operations", "details") if page == "dashboard2.html" else [None]:
            if name:
                open_tab(browser, name)
            assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"), name
            # Tables of the dashboards are rearranged where they would be cut.
            cut = "return [...document.querySelectorAll('.table-box')].filter((box) => box.scrollWidth > box.clientWidth + 1).length"
            assert page == "docs" or browser.execute_script(cut) == 0, name
            assert browser.execute_script("return window.innerWidth") == width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_tabs_by_keyboard(browser, busy):
    open_page(browser, busy.url, "dashboard2.html")
    browser.find_element(By.ID, "tab-overview").send_keys(Keys.ARROW_RIGHT)

    def chosen():
        tabs = browser.find_elements(By.CSS_SELECTOR, "[role=tab][aria-selected=true]")
        panels = [p.get_attribute("id") for p in browser.find_elements(By.CSS_SELECTOR, "[role=tabpanel]") if p.is_displayed()]
        assert panels == [f"panel-{tabs[0].get_attribute('data-tab')}"]
        assert browser.switch_to.active_element.get_attribute("id") == tabs[0].get_attribute("id")
        return tabs[0].get_attribute("data-tab")

    assert chosen() == "data"
    for key, expected in ((Keys.END, "details"), (Keys.ARROW_RIGHT, "overview"), (Keys.ARROW_LEFT, "details"), (Keys.HOME, "overview")):
        browser.switch_to.active_element.send_keys(key)
        assert chosen() == expected
    stops = browser.execute_script("return [...document.querySelectorAll('[role=tab]')].filter((t) => t.tabIndex === 0).length")
    assert stops == 1
    browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert browser.execute_script("return location.hash") == "#data"
    browser.refresh()
    wait_for(browser, lambda: browser.find_element(By.ID, "panel-data").is_displayed())


def test_every_control_can_be_reached_and_seen_by_keyboard(browser, busy):
    open_page(browser, busy.url, "dashboard2.html")
    seen = []
    browser.execute_script("document.querySelector('.skip').focus()")
    while browser.switch_to.active_element.tag_name != "body" and len(seen) < 30:
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        if active.tag_name == "body":
            break
        seen.append(active.get_attribute("id") or active.get_attribute("data-value") or active.tag_name)
        outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen[-1]
    for control in ("300", "auto", "refresh", "theme", "tab-overview", "panel-overview"):
        assert seen.count(control) == 1, seen


@pytest.mark.parametrize("preference", ["dark", "light"])
def test_theme_follows_the_system_until_chosen(browser, busy, preference):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": preference}]})
    open_page(browser, busy.url, "dashboard2.html")
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    other = "light" if preference == "dark" else "dark"

    def theme():
        return browser.execute_script("return document.documentElement.dataset.theme")

    def ground():
        return browser.execute_script("return getComputedStyle(document.body).backgroundColor")

    wait_for(browser, lambda: state(browser) == "Connected")
    assert theme() == preference
    before = ground()
    button = browser.find_element(By.ID, "theme")
    assert button.text.lower() == other
    button.click()
    assert theme() == other and ground() != before
    assert browser.execute_script("return localStorage.getItem('dashboard-theme')") == other
    browser.refresh()
    assert theme() == other
    browser.execute_script("localStorage.clear()")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("page", PAGES)
def test_failures_keep_the_old_values(browser, busy, page):
    open_page(browser, busy.url, page)
    name = "requests" if page == "dashboard.html" else "kpi-requests"
    before = tile(browser, name)
    busy.status = 500
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, lambda: state(browser) == "Disconnected")
    banner = browser.find_element(By.ID, "error")
    assert banner.is_displayed() and "500" in banner.text
    assert tile(browser, name) == before and before != "--"
    busy.status = 200
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, lambda: state(browser) == "Connected")
    assert not banner.is_displayed()


def test_unreachable_server_and_recovery(browser, stub):
    stub.status = 503
    open_page(browser, stub.url, "dashboard2.html", expect="Disconnected")
    assert tile(browser, "kpi-requests") == "--"
    now = time.time()
    stub.metrics, stub.status = busy_server(now, now - 100).text(), 200
    wait_for(browser, lambda: state(browser) == "Connected")  # by itself: Auto is on
    assert tile(browser, "kpi-requests") != "--"


def test_token_is_asked_for_and_kept_for_the_tab(browser, busy):
    busy.token = "a secret"
    open_page(browser, busy.url, "dashboard2.html", expect="Disconnected")
    dialog = browser.find_element(By.ID, "token-dialog")
    wait_for(browser, dialog.is_displayed)
    field = browser.find_element(By.ID, "token")
    field.send_keys("wrong", Keys.ENTER)
    wait_for(browser, lambda: "not accepted" in (text_of(browser, "#token-hint") or ""))
    wait_for(browser, dialog.is_displayed)
    field.send_keys("a secret", Keys.ENTER)
    wait_for(browser, lambda: state(browser) == "Connected")
    assert not dialog.is_displayed()
    assert browser.execute_script("return [localStorage.length, Object.values(sessionStorage)]")[1] == ["a secret"]
    browser.refresh()
    wait_for(browser, lambda: state(browser) == "Connected")
    browser.execute_script("sessionStorage.clear()")


def test_auto_off_stops_polling(browser, busy):
    open_page(browser, busy.url, "dashboard2.html")
    box = browser.find_element(By.ID, "auto")
    assert box.is_selected()
    box.click()
    time.sleep(1)  # what the page was asking for at that moment has come
    asked = busy.paths.count("/metrics")
    time.sleep(6)  # longer than one refresh: nothing may come
    assert busy.paths.count("/metrics") == asked
    box.click()
    wait_for(browser, lambda: busy.paths.count("/metrics") > asked)


def test_history_fills_charts_at_once(browser, stub):
    start = time.time() - 7200
    stub.metrics = lambda now: busy_server(now, start).text()
    stub.history = lambda names, seconds, step: history(names, min(seconds, 600), step, time.time(), start)
    open_page(browser, stub.url, "dashboard2.html")
    wait_for(browser, lambda: browser.find_element(By.ID, "ranges").is_displayed())
    wait_for(browser, lambda: browser.find_elements(By.CSS_SELECTOR, '[data-chart="requests"] canvas'))
    assert "Rates, ratios and percentiles cover the last 5 minutes" in text_of(browser, "#coverage")
    assert len(text_of(browser, '[data-tile="kpi-requests"]')) > 0
    points = browser.execute_script("return document.querySelector('[data-tile=\"kpi-p95\"] .spark-line').getAttribute('d').split('L').length")
    assert points > 40
    label = browser.find_element(By.CSS_SELECTOR, '[data-chart="requests"] .plot').get_attribute("aria-label")
    assert re.search(r"2xx, 3xx: now [\d.]+/s, peak [\d.]+/s", label)
    browser.find_element(By.CSS_SELECTOR, '#ranges [data-value="3600"]').click()
    wait_for(browser, lambda: any("range=3600" in path for path in stub.paths))
    assert not console(browser)


def test_without_history_one_question_is_asked(browser, busy):
    open_page(browser, busy.url, "dashboard2.html")
    wait_for(browser, lambda: [p for p in busy.paths if p.startswith("/metrics/history")])
    browser.find_element(By.ID, "refresh").click()
    wait_for(browser, lambda: busy.paths.count("/metrics") >= 2)
    assert len([p for p in busy.paths if p.startswith("/metrics/history")]) == 1
    assert not browser.find_element(By.ID, "ranges").is_displayed()


def test_nothing_is_asked_of_another_host(browser, busy):
    open_page(browser, busy.url, "dashboard.html")
    urls = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert urls and all(url.startswith(f"{busy.url}/") for url in urls)
    blocked = browser.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.injected = 1';"
        "document.body.append(s); return window.injected === undefined"
    )
    assert blocked
    console(browser)


@pytest.mark.parametrize("page", PAGES)
def test_pages_work_from_disk(browser, local_stub, page):
    now = time.time()
    local_stub.metrics = busy_server(now, now - 100).text()
    browser.get("about:blank")
    console(browser)
    browser.get((BUILD / "src" / "web" / page).as_uri())
    wait_for(browser, lambda: state(browser) == "Connected")
    assert tile(browser, "requests" if page == "dashboard.html" else "kpi-requests") == as_count(
        total(samples(local_stub.metrics), "duckdb_api_requests_total")
    )
    assert not console(browser)
    browser.get("about:blank")


def test_a_fresh_server_has_empty_states_not_nonsense(browser, stub):
    out = Exposition()
    out.add("duckdb_api_up", 1)
    out.add("duckdb_api_start_time_seconds", time.time() - 3)
    stub.metrics = out.text() + "# TYPE duckdb_api_requests_total counter\n# TYPE duckdb_table_lock_acquisitions_total counter\n"
    open_page(browser, stub.url, "dashboard.html")
    page = browser.find_element(By.TAG_NAME, "main").text
    for words in ("No requests yet", "No lock activity", "No storage figures yet", "No operations"):
        assert words in page
    assert not re.search(r"NaN|undefined|Infinity|\bnull\b", page)
    assert tile(browser, "requests") == "0"
    assert tile(browser, "projects") == "--"
    for panel in ("Disk Space", "Worker Pools", "Metadata Writer"):
        assert panel not in page


API = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "9.9.9"},
    "security": [{"bearer": []}],
    "paths": {
        "/health": {"get": {"tags": ["System"], "summary": "Is it well?", "security": [], "responses": {"200": {"description": "Fine"}}}},
        "/projects/{project_id}/tables": {
            "post": {
                "tags": ["Tables"],
                "operationId": "createTable",
                "summary": "Create a table " + HOSTILE,
                "parameters": [{"name": "project_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Table"}}}},
                "responses": {"201": {"description": "Made"}, "404": {"description": "Not here"}},
            }
        },
    },
    "components": {
        "schemas": {"Table": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "description": HOSTILE}}}}
    },
}


def test_docs_list_search_and_open(browser, busy):
    busy.openapi = json.loads(json.dumps(API))
    browser.get("about:blank")
    console(browser)
    browser.get(f"{busy.url}/docs")

    def shown():
        return [d.get_attribute("id") for d in browser.find_elements(By.CSS_SELECTOR, "details.endpoint") if d.is_displayed()]

    wait_for(browser, lambda: len(shown()) == 2)
    assert text_of(browser, "#version") == "v9.9.9"
    browser.find_element(By.TAG_NAME, "body").send_keys("/")
    search = browser.switch_to.active_element
    assert search.get_attribute("id") == "search"
    search.send_keys("create post")
    wait_for(browser, lambda: shown() == ["createTable"])
    assert text_of(browser, "#found") == "1 endpoint"
    browser.find_element(By.CSS_SELECTOR, "#createTable > summary").click()
    wait_for(browser, lambda: text_of(browser, "#createTable pre"))
    line = text_of(browser, "#createTable pre")
    assert f"curl -X POST '{busy.url}/projects/PROJECT_ID/tables'" in line
    assert '-H "Authorization: Bearer $API_KEY"' in line
    assert HOSTILE in text_of(browser, "#createTable .content")
    assert browser.title == "DuckDB Storage API: reference"
    assert browser.execute_script("return document.querySelectorAll('main img, main script').length") == 0
    search.send_keys(" nothing such")
    wait_for(browser, lambda: shown() == [])
    assert "No endpoint matches" in browser.find_element(By.TAG_NAME, "main").text
    assert not console(browser)
    browser.get(f"{busy.url}/docs#createTable")
    wait_for(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "details#createTable[open]"))


# The same pages as the real server serves them.


@pytest.fixture
def server_url(request):
    """The running server of the other tests, or the one that DASHBOARD_URL names."""
    if "DASHBOARD_URL" in os.environ:
        return os.environ["DASHBOARD_URL"].rstrip("/")
    return request.getfixturevalue("server").url


@pytest.mark.parametrize("path", ["/dashboard.html", "/dashboard2.html", "/docs", "/favicon.ico"])
def test_server_serves_pages_with_policy_and_validator(server_url, path):
    plain = requests.get(server_url + path, headers={"Accept-Encoding": "identity"}, timeout=DEADLINE)
    assert plain.status_code == 200
    policy = plain.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    packed = requests.get(server_url + path, headers={"Accept-Encoding": "gzip"}, timeout=DEADLINE)
    assert packed.headers["Content-Encoding"] == "gzip" and packed.content == plain.content
    assert "accept-encoding" in packed.headers["Vary"].lower()
    again = requests.get(server_url + path, headers={"If-None-Match": plain.headers["ETag"]}, timeout=DEADLINE)
    assert (again.status_code, again.content) == (304, b"")
    head = requests.head(server_url + path, timeout=DEADLINE)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("page", PAGES)
def test_server_pages_run_without_complaint(browser, server_url, page):
    open_page(browser, server_url, page)
    wait_for(browser, lambda: browser.find_element(By.ID, "ranges").is_displayed())  # the history is there
    for name in ("overview", "data", "apis", "operations", "details") if page == "dashboard2.html" else []:
        open_tab(browser, name)
    assert tile(browser, "status" if page == "dashboard.html" else "kpi-status") in ("Healthy", "OK")
    assert not re.search(r"NaN|undefined|Infinity|\bnull\b", browser.find_element(By.TAG_NAME, "main").text)
    assert not browser.find_element(By.ID, "skipped").is_displayed()
    assert not [entry["message"] for entry in browser.get_log("browser")]


def test_the_history_tells_reads_from_writes(server_url):
    """So that the chart of metadata times has lines when the page opens."""
    query = {"name": "duckdb_metadata_query_duration_seconds", "range": "15m"}

    def kept():
        answer = requests.get(f"{server_url}/metrics/history", params=query, timeout=DEADLINE).json()
        return {line["labels"]["operation"] for line in answer["series"]}

    eventually(lambda: kept() == {"read", "write"})


def test_server_figures_equal_its_scrape(browser, server_url):
    """While others use the server the two may be taken at different moments, so it is tried again until they meet."""
    open_page(browser, server_url, "dashboard.html")
    choose_window(browser, "start")
    give_up = time.monotonic() + DEADLINE
    while True:
        text = requests.get(f"{server_url}/metrics", timeout=DEADLINE).text
        browser.find_element(By.ID, "refresh").click()
        wait_for(browser, lambda: "Connected" == state(browser))
        try:
            check_tiles_equal_scrape(browser, text)
            return
        except AssertionError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)


def test_server_docs_list_its_endpoints(browser, server_url):
    paths = requests.get(f"{server_url}/openapi.json", timeout=DEADLINE).json()["paths"]
    browser.get("about:blank")
    console(browser)
    browser.get(f"{server_url}/docs")
    count = sum(method in ("get", "post", "put", "patch", "delete", "head", "options") for item in paths.values() for method in item)
    wait_for(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "details.endpoint")) == count)
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wait_for(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, ".endpoint-body pre")) == count)
    assert not [entry["message"] for entry in browser.get_log("browser")]
