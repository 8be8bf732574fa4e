// The few Grafana panels the boards are made of. Every query goes through the board's data source variable.
local datasource = { type: 'prometheus', uid: '${datasource}' };

local target(query) = {
  datasource: datasource,
  expr: query.expr,
  legendFormat: query.legend,
  instant: query.instant,
  range: !query.instant,
  format: if query.instant then 'table' else 'time_series',
};

local panel(type, title, description, unit, queries, width, height) = {
  type: type,
  title: title,
  description: description,
  datasource: datasource,
  gridPos: { w: width, h: height },
  targets: [
    target(queries[i]) { refId: std.char(std.codepoint('A') + i) }
    for i in std.range(0, std.length(queries) - 1)
  ],
  fieldConfig: { defaults: { unit: unit }, overrides: [] },
};

local thresholds(steps) = {
  // steps: [[value, colour], ...]; below the first one all is well.
  fieldConfig+: { defaults+: { thresholds: {
    mode: 'absolute',
    steps: [{ color: 'green', value: null }] + [{ color: step[1], value: step[0] } for step in steps],
  } } },
};

{
  query(expr, legend=''):: { expr: expr, legend: legend, instant: false },
  instant(expr):: { expr: expr, legend: '', instant: true },

  // A line per series; `steps` draws warning lines where an alert would look.
  lines(title, description, unit, queries, width=8, steps=[])::
    panel('timeseries', title, description, unit, queries, width, 8) + thresholds(steps) + {
      fieldConfig+: { defaults+: {
        min: 0,
        custom: {
          fillOpacity: 8,
          lineWidth: 1,
          showPoints: 'never',
          spanNulls: false,
          thresholdsStyle: { mode: if std.length(steps) > 0 then 'line' else 'off' },
        },
      } },
      options: {
        legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },

  stacked(title, description, unit, queries, width=8)::
    self.lines(title, description, unit, queries, width) + {
      fieldConfig+: { defaults+: { custom+: { fillOpacity: 30, stacking: { mode: 'normal', group: 'A' } } } },
    },

  stat(title, description, unit, expr, width=4, steps=[])::
    panel('stat', title, description, unit, [self.query(expr)], width, 4) + thresholds(steps) + {
      options: {
        colorMode: if std.length(steps) > 0 then 'value' else 'none',
        graphMode: 'area',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        textMode: 'auto',
      },
    },

  // Labels in columns, the value last and sorted downwards.
  ranking(title, description, unit, expr, width=12)::
    panel('table', title, description, unit, [self.instant(expr)], width, 9) + {
      options: { showHeader: true, sortBy: [{ displayName: 'Value', desc: true }] },
      transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }],
    },

  heatmap(title, description, expr, width=12)::
    panel('heatmap', title, description, 's', [self.query(expr, '{{le}}')], width, 8) + {
      targets: [super.targets[0] { format: 'heatmap' }],
      options: {
        calculate: false,
        cellGap: 1,
        color: { mode: 'scheme', scheme: 'Oranges', steps: 64 },
        yAxis: { unit: 's', axisPlacement: 'left' },
        tooltip: { show: true, yHistogram: false },
        legend: { show: true },
      },
    },

  variable(name, label, query, description):: {
    type: 'query',
    name: name,
    label: label,
    description: description,
    datasource: datasource,
    definition: query,
    query: { query: query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
  },

  // How many rows a ranking shows.
  topVariable:: {
    type: 'custom',
    name: 'top',
    label: 'Top',
    query: '5,10,20,50',
    current: { selected: true, text: '10', value: '10' },
    options: [{ text: n, value: n, selected: n == '10' } for n in ['5', '10', '20', '50']],
  },

  // rows: [{ title, panels }]. Panels flow left to right, 24 columns to a line.
  board(config, uid, title, description, rows, variables=[], perInstance=true)::
    local width = 24;
    local instanceVariable = $.variable('instance', 'Instance', 'label_values(duckdb_api_up, instance)', 'Servers to show');
    local place(state, item) =
      local w = item.gridPos.w;
      local wraps = state.x + w > width;
      local x = if wraps then 0 else state.x;
      local y = if wraps then state.y + state.line else state.y;
      {
        x: x + w,
        y: y,
        line: if wraps then item.gridPos.h else std.max(state.line, item.gridPos.h),
        panels: state.panels + [item { id: std.length(state.panels) + 1, gridPos+: { x: x, y: y } }],
      };
    local placeRow(state, row) =
      local header = { type: 'row', title: row.title, collapsed: false, panels: [], gridPos: { w: width, h: 1 } };
      local end = std.foldl(place, [header] + row.panels, state { x: 0 });
      end { x: 0, y: end.y + end.line, line: 0 };
    {
      uid: uid,
      title: title,
      description: description,
      tags: config.dashboardTags,
      schemaVersion: 37,
      version: 1,
      editable: true,
      graphTooltip: 1,
      refresh: config.dashboardRefresh,
      time: { from: config.dashboardFrom, to: 'now' },
      timezone: 'browser',
      templating: { list: [
        {
          type: 'datasource',
          name: 'datasource',
          label: 'Data source',
          query: 'prometheus',
          current: {},
          refresh: 1,
        },
      ] + (if perInstance then [instanceVariable] else []) + variables },
      annotations: { list: if !perInstance then [] else [{
        name: 'Restarts',
        datasource: datasource,
        enable: true,
        iconColor: 'red',
        expr: 'changes(duckdb_api_start_time_seconds{instance=~"$instance"}[1m]) > 0',
        titleFormat: 'Server restarted',
      }] },
      links: [{ title: 'DuckDB API', type: 'dashboards', tags: config.dashboardTags, asDropdown: true, keepTime: true, includeVars: true }],
      panels: std.foldl(placeRow, rows, { x: 0, y: 0, line: 0, panels: [] }).panels,
    },
}
