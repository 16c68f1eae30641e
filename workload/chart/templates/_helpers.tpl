{{- /* By what pods are found. It never changes: a Deployment's selector is immutable. */}}
{{- define "shop.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "shop.version" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- /* Of every object, after its name. */}}
{{- define "shop.metadata" -}}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "shop.selector" . | nindent 2 }}
  {{ include "shop.version" . }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- /* The schema has refused a tag already; this holds where its validation was skipped, too. */}}
{{- define "shop.image" -}}
{{- $image := .Values.image -}}
{{- if hasKey $image "tag" -}}
{{- fail (printf "image.tag is %q: it is not allowed, for a tag can be moved to another image; set image.digest alone" (toString $image.tag)) -}}
{{- end -}}
{{- $reference := printf "%s/%s@%s" (toString (default "" $image.registry)) (toString (default "" $image.repository)) (toString (default "" $image.digest)) -}}
{{- if not (regexMatch "^[a-z0-9.-]+(:[0-9]+)?/[a-z0-9._/-]+@sha256:[0-9a-f]{64}$" $reference) -}}
{{- fail (printf "image is %q: allowed is registry/repository@sha256:, and 64 hexadecimal digits, without a tag; set image.registry, image.repository and image.digest as the release names them" $reference) -}}
{{- end -}}
{{- $reference | quote -}}
{{- end }}
