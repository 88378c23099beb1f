{{/* The names by which the control plane is called: those of its Service, and what the values add. */}}
{{- define "heddle.controlPlaneNames" -}}
{{- $name := printf "%s-control-plane" .Release.Name -}}
{{- $own := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) -}}
{{- concat $own .Values.controlPlane.tls.names | join "," -}}
{{- end -}}
