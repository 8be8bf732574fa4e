// Objectives, what is left of their budgets, and how fast it goes.
local p = import '../lib/panel.libsonnet';

local windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];

function(config)
  local slo = config.slo;
  local objectives = [
    { title: 'HTTP availability', ratio: 'duckdb:http_error_ratio', alert: 'DuckDBAPIErrorBudgetBurn', good: 'requests not answered with 5xx' } + slo.http,
    { title: 'HTTP latency', ratio: 'duckdb:http_slow_ratio', alert: 'DuckDBAPILatencyBudgetBurn', good: 'interactive requests faster than %s s' % slo.latency.thresholdSeconds } + slo.latency,
    { title: 'Driver commands', ratio: 'duckdb:grpc_error_ratio', alert: 'DuckDBGRPCErrorBudgetBurn', good: 'commands not failing on our side' } + slo.grpc,
    { title: 'Imports', ratio: 'duckdb:import_error_ratio', alert: 'DuckDBImportErrorBudgetBurn', good: 'imports not failing on our side' } + slo.imports,
  ];
  local row(objective) = {
    local burn(window) = '%s:rate%s / %s' % [objective.ratio, window, objective.budget],
    title: '%s: %.6g%% of %s' % [objective.title, 100 - objective.budget * 100, objective.good],
    panels: [
      p.stat('Bad share, 3 days', 'Against a budget of %.6g%%.' % (objective.budget * 100), 'percentunit', '%s:rate3d' % objective.ratio, 6, [[objective.budget, 'red']]),
      p.stat('Burn rate, 1 hour', '1 spends the budget in exactly 30 days. %s pages at 14.4.' % objective.alert, 'none', burn('1h'), 6, [[1, 'orange'], [14.4, 'red']]),
      p.stat('Burn rate, 6 hours', '%s pages at 6.' % objective.alert, 'none', burn('6h'), 6, [[1, 'orange'], [6, 'red']]),
      p.stat('Burn rate, 3 days', '%s opens a ticket at 1.' % objective.alert, 'none', burn('3d'), 6, [[1, 'red']]),
      p.lines('Burn rates', 'An alert needs its long and its short window above the same line.', 'none', [p.query(burn(window), window) for window in windows], 16, [[1, 'green'], [3, 'yellow'], [6, 'orange'], [14.4, 'red']]),
      p.lines('Bad share', 'The ratio itself.', 'percentunit', [p.query('%s:rate%s' % [objective.ratio, window], window) for window in ['5m', '1h', '1d']], 8),
    ],
  };
  p.board(config, 'duckdb-api-slo', 'DuckDB API / Objectives', 'Service level objectives over 30 days and their burn rates.', [row(objective) for objective in objectives], perInstance=false)
