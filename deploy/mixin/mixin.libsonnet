// The whole mixin. prometheusAlerts and prometheusRules are rule files; grafanaDashboards maps file name to dashboard.
(import 'config.libsonnet') + {
  local config = $._config,
  local slo = (import 'alerts/slo.libsonnet')(config),

  prometheusAlerts+:: {
    groups+: [
      (import 'alerts/extended.libsonnet')(config),
      (import 'alerts/service.libsonnet')(config),
      (import 'alerts/queues.libsonnet')(config),
      (import 'alerts/capacity.libsonnet')(config),
      slo.alerting,
    ],
  },

  prometheusRules+:: {
    groups+: [slo.recording],
  },

  grafanaDashboards+:: (import 'dashboards/all.libsonnet')(config),
}
