{{/* Labels of every definition. Ours win over those of the values. */}}
{{- define "isthmus-crds.labels" -}}
{{- $ours := dict
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/name" .Chart.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
-}}
{{- toYaml (merge $ours .Values.labels) -}}
{{- end }}
